"""What docs/own_loop.md shows is run as it stands there."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from click.testing import CliRunner

import normlaw
from normlaw.cli.program import main
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_tests.quick import QUICK

PAGE = (Path(__file__).parents[1] / "docs" / "own_loop.md").read_text()


def example(name: str, language: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\s*```{language}\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def expanded(word: str) -> list[Any]:
    """Return what a shell makes of a word."""
    return list(Path().glob(word)) if "*" in word else [word]


def test_saved_weights(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("made.py").write_text(example("made", "python"))
    made: dict[str, Any] = {}
    exec(example("made", "python"), made)
    Path("checkpoints").mkdir()
    for step in (2, 10):
        torch.save(made["model"]()[0].state_dict(), f"checkpoints/step{step}.pt")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "made", raising=False)
    words = [str(found) for word in example("measure", "sh").split()[1:] for found in expanded(word)]
    done = CliRunner().invoke(main, [*words, "--output", "norms.csv"])
    assert done.exit_code == 0, done.output
    assert pd.read_csv("norms.csv")["step"].tolist() == [2, 2, 10, 10]


@pytest.mark.slow
@pytest.mark.parametrize(("library", "study"), [("lightning", "my-lightning"), ("transformers", "my-gpt")])
def test_the_callbacks(library, study, tmp_path, monkeypatch, empty_database) -> None:
    prepare_torchvision()  # which both libraries import where it is installed
    pytest.importorskip({"lightning": "pytorch_lightning"}.get(library, library))
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_database, "mlflow.db")
    exec(compile(example(library, "python"), "own_loop.md", "exec"), {"__name__": "training"})
    curves = normlaw.curves(study)
    assert curves["run"].nunique() == 1
    assert len(curves) == {"lightning": 5, "transformers": 9}[library]


@pytest.mark.slow
def test_the_loop_and_its_analysis(tmp_path, monkeypatch, empty_database, one_figure) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_database, "mlflow.db")
    exec(compile(example("loop", "python"), "own_loop.md", "exec"), {"__name__": "loop"})
    runs = normlaw.runs("my-loop")
    assert runs["status"].tolist() == ["FINISHED"] * 8
    assert set(runs["architecture"]) == {"mlp"}
    command = example("analyse", "sh").split()
    done = CliRunner().invoke(main, [*command[1:], *QUICK])  # any protocol takes the loop's runs for runs
    assert done.exit_code == 0, done.output
    assert "8 runs" in done.output
