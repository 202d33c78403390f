"""What a launch shows on the terminal: runs done, the current error and norm, and the time left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from normlaw.execution.job import Progress as News
from normlaw.spec import RunSpec


@dataclass
class Report:
    """Receives what happens while runs are trained."""

    bar: Progress
    task: TaskID
    names: dict[str, str]
    steps: dict[str, int]
    """Optimiser steps done so far in each run."""
    done: int
    total: int

    def progress(self, news: News) -> None:
        """Show a run's latest measurement."""
        self.steps[news.spec_hash] = news.step
        latest = f"{self.names[news.spec_hash]}: test error {news.test_error:.3f}, ln norm {news.log_norm:.2f}"
        self.bar.update(self.task, completed=sum(self.steps.values()), latest=latest)

    def ended(self, spec: RunSpec, failure: str | None) -> None:
        """Count a run that came to its end, and print a line where there is no live display."""
        self.done += 1
        self.steps[spec.spec_hash] = spec.total_steps
        self.bar.update(self.task, completed=sum(self.steps.values()), runs=f"{self.done}/{self.total}")
        if failure is not None:
            self.bar.console.print(f"[red]failed[/red] {spec.run_name}: {failure}", highlight=False)
        elif not self.bar.console.is_terminal:
            self.bar.console.print(f"{self.done}/{self.total} {spec.run_name}", highlight=False)


class Display:
    """Writes to standard error, so that standard output stays for results."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)

    @contextmanager
    def training(self, specs: Sequence[RunSpec], already_done: int) -> Iterator[Report]:
        """Show a progress bar over the optimiser steps of these runs while the block lasts."""
        total = len(specs) + already_done
        columns = (
            TextColumn("runs {task.fields[runs]}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("{task.fields[latest]}"),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bar:
            task = bar.add_task(
                "training",
                total=sum(spec.total_steps for spec in specs),
                runs=f"{already_done}/{total}",
                latest="starting",
            )
            names = {spec.spec_hash: spec.run_name for spec in specs}
            yield Report(bar, task, names, {}, already_done, total)
