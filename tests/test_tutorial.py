"""docs/tutorial.md is carried out as it is written, in an environment of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from normlaw_tests import environments, figure_files, forked_into
from normlaw_tests.launches import Nursery
from normlaw_tests.processes import run
from normlaw_tests.quick import QUICK

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[1] / "docs" / "tutorial.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # read as the value of `build_isolation`: hatchling is taken from here
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


TESTS = re.compile(r"^python (-m pytest .+)$", re.MULTILINE)
USE = re.compile(r"^normlaw ((?:run|analyse) .+)$", re.MULTILINE)
"""What the plugin is used in: these commands come last."""


def script(page: str) -> Iterator[str]:
    """Yield the page as shell commands: its commands, and its files written where their first line says."""
    for language, text in BLOCK.findall(page):
        first, _, rest = text.partition("\n")
        if language == "sh":
            yield f"echo {shlex.quote('$ ' + text.strip())}\n{text}"
        elif language in ("python", "yaml", "diff"):
            path = first.removeprefix("# ")
            yield f"mkdir -p {Path(path).parent}\ncat > {path} <<'END OF FILE'\n{rest}END OF FILE\n"
        else:
            assert language == "text", language


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the environment that a reader of the README has, and a pip that takes more."""
    folder = tmp_path_factory.mktemp("tutorial")
    environments.pip(environments.make(folder / ".venv", ["normlaw"]))
    return folder


@pytest.fixture(scope="module")
def output(folder, lasting_nursery: Nursery) -> str:
    """Carry the page out; return what it prints. Its tests, and what it is used in last, are forked."""
    quiet = {"MLFLOW_TRACKING_URI", "NORMLAW_HOME", "PYTHONPATH", "VIRTUAL_ENV", "PYTEST_ADDOPTS"}
    environment = {key: value for key, value in os.environ.items() if key not in quiet} | OFFLINE
    parts = list(script(PAGE))
    tests, first = (
        next(index for index, part in enumerate(parts) if pattern.search(part)) for pattern in (TESTS, USE)
    )

    def carried_out(*parts: str) -> str:
        commands = ["bash", "-euo", "pipefail", "-c", "\n".join(parts)]
        done = run(commands, cwd=folder, env=environment, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout[-6000:]
        return str(done.stdout)

    printed = [carried_out(*parts[:tests])]
    (words,) = TESTS.findall(parts[tests])
    tested = forked_into.run(folder / ".venv", "python", *shlex.split(words), folder=folder, env=environment)
    assert tested.returncode == 0, tested.stdout[-6000:]
    printed += [f"$ python {words}\n", tested.stdout, carried_out(*parts[tests + 1 : first])]
    plugin = {"PYTHONPATH": installed_alone(folder)}
    for part in parts[first:]:
        (arguments,) = USE.findall(part)  # nothing else is done from there on
        quick = QUICK if "--reports" in arguments else ()  # the law of the one before is looked at
        words = [*shlex.split(arguments), *quick]
        used = lasting_nursery.done(folder, *words, env=plugin, settings=figure_files.ONE_FIGURE)
        assert used.returncode == 0, used.stderr
        printed += [f"$ normlaw {arguments}\n", used.stdout]
    return "".join(printed)


def installed_alone(folder: Path) -> str:
    """Return a path on which pip's installation of the plugin is found, and nothing else of the environment."""
    (metadata,) = (folder / ".venv" / "lib").glob("python*/site-packages/my_lab-*.dist-info")
    alone = folder / "installed"
    alone.mkdir()
    (alone / metadata.name).symlink_to(metadata)
    return os.pathsep.join(map(str, (alone, folder / "my-lab" / "src")))


def test_its_diff_is_one(output, folder) -> None:
    fitter = (folder / "my-lab" / "src" / "my_lab" / "fitter.py").read_text()
    assert "TukeyBiweight" in fitter
    assert "Huber" not in fitter


def test_every_command_does_what_the_page_says(output, folder) -> None:
    listing = output[output.index("$ pip install") : output.index("$ python -m pytest")]
    assert "my-lab 0.1.0" in listing
    assert "for normlaw>=" in listing
    assert "lab: 12 trained, 0 already there, 0 failed" in output
    assert (folder / "reports" / "lab" / "report.html").exists()
    assert (folder / "reports" / "weight_norm" / "lab" / "report.html").exists()


def test_the_law_is_the_one_on_the_page(output) -> None:
    number = r"\s+(-?[\d.]+)"
    shown = PAGE[PAGE.index("exponent  ") :]
    measured = output[output.index("--fitter tukey_line") :]
    for name in ("gamma_1", "gamma_2", "gamma_pred", "gamma_meas"):
        on_page, error = map(float, re.findall(rf"^{name}{number}{number}", shown, re.MULTILINE)[0])
        here, _ = map(float, re.findall(rf"^{name}{number}{number}", measured, re.MULTILINE)[0])
        assert abs(here - on_page) <= 2 * error, name  # another processor rounds differently
    (own,) = re.findall(rf"^ *tukey_line +gamma_meas{number}", measured, re.MULTILINE)
    assert float(own) == pytest.approx(0.64, abs=0.1)


def test_mlflow_knows_where_the_components_came_from(output, folder) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("lab")
    found = client.search_runs(
        [experiment.experiment_id],
        "tags.`normlaw.plugins` LIKE '%my-lab 0.1.0%' and params.architecture = 'residual_mlp' "
        "and metrics.`log_norm/nuclear_norm` > 0",
    )
    assert len(found) == 12
    analyses = client.search_runs(
        [experiment.experiment_id],
        "tags.`normlaw.kind` = 'analysis' and tags.`normlaw.plugins` LIKE '%my-lab 0.1.0%'",
    )
    assert len(analyses) == 2
