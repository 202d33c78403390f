"""What docs/predict.md shows is run as it stands there, and finds the law that made its curves."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from normlaw.cli.program import main
from normlaw_registry import AnalysisProtocol, load_catalogue
from normlaw_tests.processes import python
from normlaw_tests.quick import QUICK

PAGE = (Path(__file__).parents[1] / "docs" / "predict.md").read_text()


def example(name: str, language: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\s*```{language}\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "made.py").write_text(example("curves", "python"))
    done = python("made.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def run(command: str, *more: str) -> Result:
    program, *words = shlex.split(command)
    assert program == "normlaw"
    done = CliRunner().invoke(main, [*words, *more])
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.slow
def test_the_clocks(folder, one_figure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    run(example("clocks", "sh"), *QUICK, "--json", "laws.json")  # clocks are compared alike by any protocol
    compared = json.loads((folder / "laws.json").read_text())["abscissas"]["compared"]
    found = {row["abscissa"]: row for row in compared}
    assert found["spectral"]["explained"] > 0.95
    for other in ("steps", "rescaled"):
        assert found[other]["high"] < found["spectral"]["low"]


@pytest.mark.slow
def test_the_prediction(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    if "envelope" not in load_catalogue().names(AnalysisProtocol):
        pytest.skip("the protocol that the page names is not installed")
    monkeypatch.chdir(folder)
    less = ("--hold-out", "1")  # each train size that is left out takes another fit
    run(example("predict", "sh"), *less, "--json", "predicted.json")
    found = json.loads((folder / "predicted.json").read_text())
    sizes = np.array([row["train_size"] for row in found["predictions"]])
    truth = 0.6 * np.exp(-1.75) * (sizes / 500) ** -0.3
    assert [row["test_error"] for row in found["predictions"]] == pytest.approx(truth, rel=0.02)
    scores = {row["fitter"]: row for row in found["scores"]}
    assert scores["protocol envelope"]["abs_log_error"] < 0.02
