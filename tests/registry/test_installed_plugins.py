"""A really installed plugin distribution, as `normlaw plugins` sees it in a process of its own."""

import json
import os
import subprocess

import pytest

from normlaw_tests import forked
from normlaw_tests.built_in import PLUGINS
from normlaw_tests.processes import python


def environment(site=None, **variables: str) -> dict[str, str]:
    path = [*filter(None, [site and str(site), os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), **variables}


def normlaw(*arguments: str, site=None, **variables: str) -> subprocess.CompletedProcess[str]:
    return forked.normlaw(*arguments, env=environment(site, **variables))


@pytest.fixture(scope="module")
def listing(site_with_fake_plugin):
    """Return what a Python says that has imported nothing before."""
    code = "from normlaw.cli.program import main; main()"
    done = python("-c", code, "plugins", "--json", env=environment(site_with_fake_plugin))
    assert done.stderr == ""
    assert done.returncode == 1, "a broken plugin must be told by the exit code"
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def fake(listing):
    return {p["name"]: p for p in listing["plugins"] if p["distribution"] == "fake-normlaw-plugin"}


def test_the_good_plugin_is_listed_with_its_distribution(fake) -> None:
    good = fake["good"]
    assert good["failure"] is None
    assert (good["version"], good["module"]) == ("1.2.3", "fake_normlaw_plugin.good")
    assert [(c["devices"], c["dtypes"]) for c in good["components"]] == [
        (["cpu", "cuda"], ["float32"]),
        (None, None),
    ]
    assert [(c["kind"], c["name"]) for c in good["components"]] == [
        ("architecture", "fake_linear"),
        ("complexity_measure", "fake_largest_entry"),
    ]


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("missing_import", ["ModuleNotFoundError", "a_package_that_nobody_installed", "missing_import.py:3"]),
        ("missing_module", ["ModuleNotFoundError", "fake_normlaw_plugin.not_there"]),
        ("syntax_error", ["SyntaxError", "syntax_error.py, line 3"]),
        ("exits", ["SystemExit: no licence found", "exits.py:5"]),
        ("raises_in_hook", ["ValueError: the second one cannot be made", "raises_in_hook.py:10"]),
        ("returns_none", ["normlaw_datasets returned NoneType", "iterable of Dataset"]),
        ("wrong_type", ["normlaw_datasets gave Architecture", "Dataset only"]),
        ("misspelt", ["'normlaw_achitectures' does not exist", "did you mean normlaw_architectures"]),
        ("unmarked", ["'normlaw_fitters' lacks the mark @hookimpl"]),
        ("no_hook", ["implements no hook"]),
        ("takes_argument", ["does not fit its specification", "config"]),
    ],
)
def test_a_broken_plugin_is_isolated_and_shown_with_its_reason(fake, name, reasons) -> None:
    assert fake[name]["components"] == []
    for reason in reasons:
        assert reason in fake[name]["failure"]


def test_a_broken_plugin_harms_no_other(fake, listing) -> None:
    assert {name for name, plugin in fake.items() if plugin["failure"] is None} == {"good", "duplicate"}
    own = [p for p in listing["plugins"] if p["distribution"] == "normlaw"]
    assert [p["name"] for p in own if p["failure"] is None] == sorted(PLUGINS)


def test_a_name_claimed_twice_names_both_providers(listing) -> None:
    claims = {d["name"]: d["providers"] for d in listing["duplicates"]}
    assert claims.keys() == {"fake_linear", "perceptron"}
    assert ["'duplicate'" in claims["fake_linear"][0], "'good'" in claims["fake_linear"][1]] == [True, True]
    assert claims["perceptron"][0].startswith("fake-normlaw-plugin 1.2.3 (entry point 'duplicate'")
    assert claims["perceptron"][1].startswith("normlaw ")


def test_the_table_shows_the_same(site_with_fake_plugin) -> None:
    done = normlaw("plugins", site=site_with_fake_plugin)
    assert done.returncode == 1
    for text in (
        "fake-normlaw-plugin 1.2.3",
        "failed",
        "no licence found",
        "claimed twice",
        "One linear layer (cpu, cuda only; float32 only)",
        "fake_largest_entry",
    ):
        assert text in done.stdout


def test_without_broken_plugins_the_exit_code_is_zero() -> None:
    done = normlaw("plugins", "list", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["duplicates"] == []


@pytest.mark.parametrize(
    ("arguments", "chosen", "loaded"),
    [
        ((), "", set()),
        (("--no-plugins",), "good", set()),
        ((), "good", {"good"}),
        ((), " good , duplicate", {"good", "duplicate"}),
    ],
)
def test_plugins_are_loaded_by_choice(site_with_fake_plugin, arguments, chosen, loaded) -> None:
    done = normlaw(*arguments, "plugins", "--json", site=site_with_fake_plugin, NORMLAW_PLUGINS=chosen)
    found = json.loads(done.stdout)["plugins"]
    assert {p["name"] for p in found if p["distribution"] == "fake-normlaw-plugin"} == loaded
    assert {p["name"] for p in found if p["distribution"] == "normlaw"} == set(PLUGINS)
    assert done.returncode == ("duplicate" in loaded)


def test_a_distribution_is_chosen_with_all_its_plugins(site_with_fake_plugin, fake) -> None:
    done = normlaw("plugins", "--json", site=site_with_fake_plugin, NORMLAW_PLUGINS="Fake_normlaw.plugin")
    found = json.loads(done.stdout)["plugins"]
    assert {p["name"] for p in found if p["distribution"] == "fake-normlaw-plugin"} == set(fake)


def test_a_chosen_plugin_that_is_not_there_is_told(site_with_fake_plugin) -> None:
    done = normlaw("plugins", site=site_with_fake_plugin, NORMLAW_PLUGINS="god")
    assert done.returncode == 1
    assert "NORMLAW_PLUGINS names 'god'" in " ".join(done.stdout.replace("│", " ").split())
