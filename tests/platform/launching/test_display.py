from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from normlaw.execution.job import Outcome, Progress
from normlaw.launching.display import Display
from normlaw.study.spec import RunSpec
from normlaw.tracking.sender import Backlog

RUN = RunSpec.model_validate(
    {
        "architecture": "cnn",
        "dataset": "digits",
        "train_size": 8,
        "seed": 0,
        "steps": 3000,
        "measures": ["weight_norm"],
    }
)


def shown(terminal: bool, *backlogs: Backlog) -> str:
    """Return what a display writes when it is told of these backlogs."""
    console = Console(file=StringIO(), force_terminal=terminal, width=160)
    with Display(console).training([RUN], 0) as report:
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
    with Display(console, debug=debug).training([], 0) as report:
        for seed in range(3):
            spec = RUN.model_copy(update={"seed": seed})
            report.ended(spec, Outcome(spec.spec_hash, "[the sky] fell", "Traceback: line 7"))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert text.count("[the sky] fell") == 1
    assert text.count("as cnn digits P=8 seed=0") == 2
    assert text.count("Traceback: line 7") == debug


def at_eighty_columns(monkeypatch: pytest.MonkeyPatch, *backlogs: Backlog) -> list[str]:
    """Return the lines that stand there at last, on a terminal of 80 columns, with one run's news."""
    console = Console(file=StringIO(), force_terminal=True, width=80, color_system=None)
    with Display(console).training([RUN] * 12_000, 345) as report:
        monkeypatch.setattr(report.bar, "get_time", iter(range(1000)).__next__)
        for step in (100, 1200):
            report.progress(Progress(RUN.spec_hash, step, 3000, 0.0312, 5.86))
        for backlog in backlogs:
            report.backlog(backlog)
        report.bar.refresh()
    assert isinstance(console.file, StringIO)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())
    return [line.rstrip() for line in text.replace("\r", "\n").splitlines() if line.strip()][-2:]


def test_at_80_columns_all_that_is_to_be_seen_stands_whole(monkeypatch) -> None:
    first, second = at_eighty_columns(monkeypatch, Backlog(123, "connection refused"))
    assert re.match(r"345/12,345 runs +[\d,.]+ steps/s \d\S* left 123 to send, MLflow away$", first), first
    assert second == "cnn digits P=8 seed=0: step 1,200/3,000, error 0.031, ln norm 5.86"
    assert max(len(first), len(second)) <= 80


def test_a_line_that_is_too_long_is_broken_between_words() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=80, color_system=None)
    display = Display(console)
    words = [f"measure_{number}" for number in range(20)]
    display.say(" ".join(words))
    with display.training([RUN], 0) as report:
        report.ended(RUN, Outcome(RUN.spec_hash, " ".join(words)))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    assert [word for line in lines for word in line.split() if word.startswith("measure_")] == 2 * words
