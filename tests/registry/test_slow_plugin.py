"""A slow or broken plugin costs its seconds once, and is named with them; names mean the same with it."""

import json
import os
from pathlib import Path

import pytest

from normlaw.cli.plugins import as_lines
from normlaw.machine import plugins as doctor
from normlaw_registry import Catalogue, Dataset, DuplicateComponentError, Splits
from normlaw_registry.host import PluginRecord
from normlaw_tests import forked

NAP = 2.0
SLOW = f"""
import time

from normlaw_registry import Dataset, hookimpl

time.sleep({NAP})

@hookimpl
def normlaw_datasets():
    yield Dataset(name="shared", summary="Some data", load=print)
"""
OWN = '    yield Dataset(name="own", summary="Some data", load=print)\n'
QUICK = SLOW.replace("time.sleep", "float").replace("    yield", f"{OWN}    yield")
BROKEN = "import time\ntime.sleep(1.5)\nraise ImportError('no licence')\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for name, code in {"slow_lab": SLOW, "quick_lab": QUICK, "broken_lab": BROKEN}.items():
        (folder / f"{name}.py").write_text(code)
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[normlaw]\n{name} = {name}\n")
    return folder


def listed(site: Path, **variables: str) -> dict[str, dict]:
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = forked.normlaw("plugins", "--json", env={**os.environ, "PYTHONPATH": path, **variables})
    return {plugin["name"]: plugin for plugin in json.loads(done.stdout)["plugins"]}


@pytest.mark.slow
def test_each_plugin_is_told_with_the_seconds_that_it_took(site) -> None:
    found = listed(site)
    assert found["slow_lab"]["seconds"] >= NAP
    assert found["broken_lab"]["seconds"] >= 1.5
    assert "no licence" in found["broken_lab"]["failure"]
    assert [c["name"] for c in found["quick_lab"]["components"]] == ["own", "shared"]


def test_a_slow_plugin_that_is_left_out_costs_nothing(site) -> None:
    assert "slow_lab" not in listed(site, NORMLAW_PLUGINS="quick_lab")


def never(params: object, context: object) -> Splits:
    raise AssertionError("loaded")


def record(name: str, seconds: float, *names: str, failure: str | None = None) -> PluginRecord:
    return PluginRecord(
        name=name,
        module=name,
        distribution=name,
        version="1.0",
        components=tuple(Dataset(name=one, summary="Some data", load=never) for one in names),
        failure=failure,
        seconds=seconds,
    )


def test_a_name_that_the_slow_plugin_claims_too_is_an_error_all_the_same() -> None:
    catalogue = Catalogue.of([record("quick", 0.01, "own", "shared"), record("slow", 9.0, "shared")])
    assert catalogue.get(Dataset, "own").name == "own"
    with pytest.raises(DuplicateComponentError, match=r"(?s)quick 1\.0.*slow 1\.0"):
        catalogue.get(Dataset, "shared")


def test_the_listing_and_the_doctor_name_a_slow_plugin_and_no_other() -> None:
    own = record("normlaw", 30.0, "built_in")
    catalogue = Catalogue.of([own, record("quick", 0.9, "one"), record("slow", 2.34, "two")])
    told = [line for line in as_lines(catalogue) if "slow  " in line]
    assert len(told) == 1
    assert "2.3 s to load" in told[0]
    [finding] = doctor.check(catalogue)
    assert (finding.state, finding.said) == ("doubtful", "slow 1.0: slow took 2.3 s to load")


def test_a_broken_plugin_that_is_slow_is_told_to_be_both() -> None:
    catalogue = Catalogue.of([record("both", 5.0, failure="ImportError: no licence")])
    assert [finding.state for finding in doctor.check(catalogue)] == ["bad", "doubtful"]
