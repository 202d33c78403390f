"""What a launch shows on the terminal: runs done, the current error and norm, and the time left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from normlaw.base.redaction import printable
from normlaw.execution.job import Outcome
from normlaw.execution.job import Progress as News
from normlaw.study.spec import RunSpec

if TYPE_CHECKING:
    from normlaw.tracking.sender import Backlog


def _plain(text: str) -> str:
    """Return a text that others wrote as rich prints it letter by letter."""
    return escape(printable(text))


@dataclass
class TrainingDisplay:
    """Receives what happens while runs are trained."""

    bar: Progress
    task: TaskID
    names: dict[str, str]
    steps: dict[str, int]
    """Optimiser steps done so far in each run."""
    done: int
    total: int
    away: bool = False
    """Whether the server was last told to take nothing."""
    refusals: set[str] = field(default_factory=set)
    """What the server refused for good, each told once."""
    debug: bool = False
    """Whether the tracebacks of failed runs are shown."""
    failures: dict[str, str] = field(default_factory=dict)
    """Reason -> the first run that failed for it; each reason is told once."""

    def progress(self, news: News) -> None:
        """Show a run's latest measurement."""
        self.steps[news.spec_hash] = news.step
        latest = f"{self.names[news.spec_hash]}: test error {news.test_error:.3f}, ln norm {news.log_norm:.2f}"
        self.bar.update(self.task, completed=sum(self.steps.values()), latest=latest)

    def ended(self, spec: RunSpec, outcome: Outcome) -> None:
        """Count a run that came to its end; say why it failed, or that it ended where nothing moves."""
        self.done += 1
        self.steps[spec.spec_hash] = spec.total_steps
        self.bar.update(self.task, completed=sum(self.steps.values()), runs=f"{self.done}/{self.total}")
        if outcome.failure is not None:
            like = self.failures.setdefault(outcome.failure, spec.run_name)
            reason = outcome.failure if like == spec.run_name else f"as {like}"
            self._say(f"[red]failed[/red] {_plain(f'{spec.run_name}: {reason}')}")
            if self.debug and outcome.traceback and like == spec.run_name:
                self._say(_plain(outcome.traceback.rstrip()))
        elif not self.bar.console.is_terminal:
            self._say(escape(f"{self.done}/{self.total} {spec.run_name}"))

    def waiting_for(self, specs: Sequence[RunSpec]) -> None:
        """Show that what is left to do is being done by another process."""
        latest = f"waiting for {len(specs)} that another process trains: {specs[0].run_name}"
        self.bar.update(self.task, latest=latest)

    def backlog(self, backlog: Backlog) -> None:
        """Show what waits to be sent; say when the server goes away and when it is back."""
        waiting = f"{backlog.runs} to send" if backlog.runs else ""
        if backlog.trouble:
            waiting = f"{waiting}, MLflow away".lstrip(", ")
        self.bar.update(self.task, unsent=waiting)
        if backlog.trouble and not self.away:
            self._say(
                f"[yellow]MLflow does not answer[/yellow], it is tried again and again; training goes on: "
                f"{_plain(backlog.trouble)}"
            )
        elif self.away and not backlog.trouble:
            self._say("MLflow answers again")
        self.away = bool(backlog.trouble)

    def refused(self, reason: str) -> None:
        """Say, once, what the server refuses for good."""
        if reason not in self.refusals:
            self.refusals.add(reason)
            self._say(
                f"[red]MLflow refuses[/red] (training goes on, and its journals keep all): {_plain(reason)}"
            )

    def _say(self, markup: str) -> None:
        self.bar.console.print(markup, highlight=False, soft_wrap=True)


class Display:
    """Writes to standard error, so that standard output stays for results.

    Args:
        console: where to.
        debug: whether to show the tracebacks of failed runs.

    """

    def __init__(self, console: Console | None = None, *, debug: bool = False) -> None:
        self.console = console or Console(stderr=True)
        self.debug = debug

    def say(self, text: str) -> None:
        """Show a line, above the progress bar where there is one."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def trying(self, number: int) -> Iterator[None]:
        """Show, at a terminal, that combinations are tried out while the block lasts."""
        if not number or not self.console.is_terminal:
            yield
            return
        combined = "1 combination" if number == 1 else f"{number} combinations"
        with self.console.status(f"trying out {combined} of network, data set and norms"):
            yield

    @contextmanager
    def training(self, specs: Sequence[RunSpec], already_done: int) -> Iterator[TrainingDisplay]:
        """Show a progress bar over the optimiser steps of these runs while the block lasts."""
        total = len(specs) + already_done
        columns = (
            TextColumn("runs {task.fields[runs]}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("[yellow]{task.fields[unsent]}"),
            TextColumn("{task.fields[latest]}", markup=False),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bar:
            task = bar.add_task(
                "training",
                total=sum(spec.total_steps for spec in specs),
                runs=f"{already_done}/{total}",
                latest="starting",
                unsent="",
            )
            names = {spec.spec_hash: spec.run_name for spec in specs}
            yield TrainingDisplay(bar, task, names, {}, already_done, total, debug=self.debug)
