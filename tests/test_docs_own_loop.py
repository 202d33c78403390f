"""What docs/own_loop.md shows is run as it stands there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import normlaw
from normlaw.cli.program import main

PAGE = (Path(__file__).parents[1] / "docs" / "own_loop.md").read_text()


def example(name: str, language: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\s*```{language}\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


@pytest.mark.slow
def test_the_loop_and_its_analysis(tmp_path, monkeypatch, empty_database, one_figure) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_database, "mlflow.db")
    exec(compile(example("loop", "python"), "own_loop.md", "exec"), {"__name__": "loop"})
    runs = normlaw.runs("my-loop")
    assert runs["status"].tolist() == ["FINISHED"] * 8
    assert set(runs["architecture"]) == {"mlp"}
    command = example("analyse", "sh").split()
    done = CliRunner().invoke(main, command[1:])
    assert done.exit_code == 0, done.output
    assert "8 runs" in done.output
