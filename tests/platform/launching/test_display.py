from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from normlaw.execution.job import Outcome
from normlaw.launching.display import Display
from normlaw.study.spec import RunSpec
from normlaw.tracking.sender import Backlog


def shown(terminal: bool, *backlogs: Backlog) -> str:
    """Return what a display writes when it is told of these backlogs."""
    console = Console(file=StringIO(), force_terminal=terminal, width=160)
    with Display(console).training([], 0) as report:
        for backlog in backlogs:
            report.backlog(backlog)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_progress_bar_shows_what_waits_to_be_sent() -> None:
    assert "3 to send, MLflow away" in shown(True, Backlog(3, "connection refused"))
    assert "2 to send" in shown(True, Backlog(2))
    assert "to send" not in shown(True, Backlog(2), Backlog(0))


def test_a_server_that_goes_and_comes_is_told_once_each() -> None:
    text = shown(False, *[Backlog(n, "refused") for n in range(4)], Backlog(4), Backlog(0))
    assert text.count("MLflow does not answer") == 1
    assert text.count("refused") == 1
    assert text.count("MLflow answers again") == 1


@pytest.mark.parametrize("debug", [False, True])
def test_a_reason_is_told_once_with_its_traceback_if_asked_for(debug: bool) -> None:
    console = Console(file=StringIO(), width=160)
    tree = {
        "architecture": "cnn",
        "dataset": "digits",
        "train_size": 8,
        "steps": 1,
        "measures": ["weight_norm"],
    }
    with Display(console, debug=debug).training([], 0) as report:
        for seed in range(3):
            spec = RunSpec.model_validate({**tree, "seed": seed})
            report.ended(spec, Outcome(spec.spec_hash, "[the sky] fell", "Traceback: line 7"))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert text.count("[the sky] fell") == 1
    assert text.count("as cnn digits P=8 seed=0") == 2
    assert text.count("Traceback: line 7") == debug
