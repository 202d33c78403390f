from __future__ import annotations

from io import StringIO

from rich.console import Console

from normlaw.display import Display
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
