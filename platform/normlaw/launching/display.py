"""What a launch shows on the terminal: runs done, the rate, the time left, and the current error and norm."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from normlaw.base.redaction import printable
from normlaw.base.terminal import Words, words
from normlaw.execution.job import Outcome
from normlaw.execution.job import Progress as News
from normlaw.launching.progress_line import TrainingBar
from normlaw.study.spec import RunSpec

if TYPE_CHECKING:
    from normlaw.tracking.sender import Backlog


def _plain(text: str) -> str:
    """Return a text that others wrote as rich prints it letter by letter."""
    return escape(printable(text))


@dataclass
class TrainingDisplay:
    """Receives what happens while runs are trained."""

    bar: TrainingBar
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
        without_error = math.isnan(news.test_error)
        fallen = f"loss {news.test_loss:.3g}" if without_error else f"error {news.test_error:.3f}"
        self.bar.show(
            steps=sum(self.steps.values()),
            latest=f"{self.names[news.spec_hash]}: step {news.step:,}/{news.total_steps:,}, "
            f"{fallen}, ln norm {news.log_norm:.2f}",
        )

    def ended(self, spec: RunSpec, outcome: Outcome) -> None:
        """Count a run that came to its end; say why it failed, or that it ended where nothing moves."""
        self.done += 1
        self.steps[spec.spec_hash] = spec.total_steps
        self.bar.show(steps=sum(self.steps.values()), done=self.done)
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
        self.bar.show(latest=latest)

    def backlog(self, backlog: Backlog) -> None:
        """Show what waits to be sent; say when the server goes away and when it is back."""
        waiting = f"{backlog.runs} to send" if backlog.runs else ""
        if backlog.trouble:
            waiting = f"{waiting}, MLflow away".lstrip(", ")
        self.bar.show(unsent=waiting)
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
        console = self.bar.console
        console.print(markup, highlight=False, soft_wrap=not console.is_terminal)


class Display:
    """Writes to standard error, so that standard output stays for results.

    Args:
        console: where to.
        debug: whether to show the tracebacks of failed runs.

    """

    def __init__(self, console: Console | None = None, *, debug: bool = False) -> None:
        self.words = words if console is None else Words(console)
        self.console = self.words.console
        self.debug = debug

    def say(self, text: str) -> None:
        """Show a line, above the progress bar where there is one."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=not self.console.is_terminal)

    def working(self, text: str) -> AbstractContextManager[None]:
        """Show, at a terminal, what is being done while the block lasts."""
        return self.words.working(text) if self.words.moving else nullcontext()

    def trying(self, number: int) -> AbstractContextManager[None]:
        """Show, at a terminal, that combinations are tried out while the block lasts."""
        combined = "1 combination" if number == 1 else f"{number} combinations"
        return (
            self.working(f"trying out {combined} of network, data set and norms") if number else nullcontext()
        )

    @contextmanager
    def training(self, specs: Sequence[RunSpec], already_done: int) -> Iterator[TrainingDisplay]:
        """Show a progress bar over the optimiser steps of these runs while the block lasts."""
        total = len(specs) + already_done
        names = {spec.spec_hash: spec.run_name for spec in specs}
        bar = TrainingBar(self.console, sum(spec.total_steps for spec in specs), already_done, total)
        report = TrainingDisplay(bar, names, {}, already_done, total, debug=self.debug)
        with self.words.paused(), bar:
            yield report
        self.words.now("telling MLflow how it ended")
