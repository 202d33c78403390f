"""What the README shows is run as it stands there."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import normlaw
from normlaw.study.expansion import expand
from normlaw.study.study import parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import load_catalogue
from normlaw_registry.host import collect
from normlaw_registry.testing import check_component
from normlaw_tests import environments, forked_into
from normlaw_tests.processes import run, without

README = (Path(__file__).parents[1] / "README.md").read_text()


def example(name: str, language: str) -> str:
    """Return the code block that follows a marker."""
    found = re.search(rf"<!-- example: {name} -->\s*```{language}\n(.+?)```", README, re.DOTALL)
    assert found, f"mark the code block by <!-- example: {name} -->"
    return found[1]


def test_the_plugin_works_and_has_ten_lines() -> None:
    code = example("plugin", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    module = types.ModuleType("readme_plugin")
    exec(compile(code, "README.md", "exec"), module.__dict__)
    (measure,) = collect(module)
    check_component(measure)


def test_the_study_expands() -> None:
    source = YamlSource(example("study", "yaml"), "README.md")
    assert len(expand(parse_study(source), load_catalogue())) == 5 * 3 * 2


def test_every_image_and_file_it_points_to_is_there() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert "docs/images/quickstart.png" in targets
    for target in targets:
        assert (Path(__file__).parents[1] / target).exists(), target


def test_it_says_how_its_commands_are_found_before_it_uses_them_so() -> None:
    assert README.index("`source .venv/bin/activate`") < README.index("`normlaw ")


@pytest.fixture(scope="module")
def first_hour(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Carry out the README's first command, but for its download; return the folder and what it printed.

    What comes last, the analysis, is forked.
    """
    found = re.search(r"<!-- command: run -->\s*```sh\n(.+?)```", README, re.DOTALL)
    assert found
    made, installed, *rest, analysed = found[1].strip().split(" && ")
    assert made == "python3 -m venv .venv"
    assert installed == ".venv/bin/pip install -c constraints.txt ."
    folder = tmp_path_factory.mktemp("readme")
    environments.make(folder / ".venv", ["normlaw"])
    environment = without("MLFLOW_TRACKING_URI", "NORMLAW_HOME", "PYTHONPATH", "VIRTUAL_ENV")
    done = run(["bash", "-euc", " && ".join(rest)], cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    program, *words = analysed.split()
    assert program == ".venv/bin/normlaw"
    laws = forked_into.run(folder / ".venv", "normlaw", *words, folder=folder, env=environment)
    assert laws.returncode == 0, laws.stdout + laws.stderr
    return folder, done.stdout + laws.stdout


def rows(text: str) -> Iterator[tuple[str, float, float]]:
    """Yield name, value and standard error of each exponent in a text."""
    for name, value, error in re.findall(r"^(gamma_\w+) +(-?[\d.]+) +([\d.]+)  \[", text, re.MULTILINE):
        yield name, float(value), float(error)


@pytest.mark.slow
def test_the_first_result_is_the_one_shown_within_the_errors_shown(first_hour) -> None:
    _, printed = first_hour
    (shown,) = re.findall(r"```text\n(verdict: .+?)```", README, re.DOTALL)
    measured = {name: (value, error) for name, value, error in rows(printed)}
    exponents = list(rows(shown))
    assert [name for name, *_ in exponents] == list(measured)
    for name, value, error in exponents:
        assert abs(measured[name][0] - value) <= error, name
        assert measured[name][1] == pytest.approx(error, rel=0.1), name
    words = re.sub(r"-?\d[\d.]*", "N", printed)
    for line in re.sub(r"-?\d[\d.]*", "N", shown).splitlines():
        assert line in words, line


OTHER_INSTRUCTIONS = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
}
ONE_RUN = """
import json
from normlaw.study.expansion import expand
from normlaw.study.named import find_study
from normlaw.training.loop import train
from normlaw_registry import load_catalogue

catalogue = load_catalogue()
(spec,) = [s for s in expand(find_study("quickstart"), catalogue) if (s.train_size, s.seed) == (60, 1)]
print(json.dumps(train(spec, catalogue)))
"""


@pytest.mark.slow
def test_other_instructions_change_the_digits_that_the_readme_says(first_hour) -> None:
    folder, _ = first_hour
    environment = without("MLFLOW_TRACKING_URI", "NORMLAW_HOME") | OTHER_INSTRUCTIONS
    python = folder / ".venv" / "bin" / "python"
    done = run([python, "-c", ONE_RUN], cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    curves = normlaw.curves("quickstart", tracking_uri=f"sqlite:///{folder}/mlflow.db")
    here = curves[(curves["train_size"] == 60) & (curves["seed"] == 1)].sort_values("step")
    there = json.loads(done.stdout)
    name = "log_norm/spectral_complexity_kernel"
    assert [point["test/error"] for point in there] == here["test/error"].tolist()
    assert [point[name] for point in there] == pytest.approx(here[name].tolist(), abs=1e-5)
    assert [point[name] for point in there] != here[name].tolist()  # it was arithmetic of another kind
    assert "norms differed by 1e-5 of their size" in " ".join(README.split())
