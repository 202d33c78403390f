"""The two lines of a launch at a terminal: how far all runs are, and the latest measurement of one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text


class Rate(ProgressColumn):
    """Optimiser steps a second, of all runs together."""

    def render(self, task: Task) -> Text:
        """Return it, once it is known."""
        speed = task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:,.0f} steps/s" if speed >= 10 else f"{speed:.1f} steps/s")


class Left(ProgressColumn):
    """How long all runs take yet."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Return it, once it is known."""
        seconds = task.time_remaining
        return Text("" if seconds is None or task.finished else f"{timedelta(seconds=int(seconds))} left")


def whole() -> Column:
    """Return a column that is not broken."""
    return Column(no_wrap=True)


class TrainingBar(Progress):
    """Shows both lines while it is entered, at a terminal; they stay where something was trained.

    Args:
        console: where to.
        steps: optimiser steps that all runs take.
        done: runs that were finished before.
        runs: all runs.

    """

    def __init__(self, console: Console, steps: int, done: int, runs: int) -> None:
        super().__init__(
            TextColumn("{task.fields[done]:,}/{task.fields[runs]:,} runs", table_column=whole()),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),  # has what the others leave
            Rate(whole()),
            Left(whole()),
            TextColumn("[yellow]{task.fields[unsent]}", table_column=whole()),
            console=console,
            disable=not console.is_terminal,
            expand=True,
            transient=not steps,
            redirect_stdout=False,
        )
        self._training = self.add_task(
            "training", total=steps, done=done, runs=runs, latest="starting" * bool(steps), unsent=""
        )

    def show(
        self,
        *,
        steps: int | None = None,
        done: int | None = None,
        latest: str | None = None,
        unsent: str | None = None,
    ) -> None:
        """Show what is given: steps done, runs done, the latest measurement, what waits to be sent."""
        given = {"done": done, "latest": latest, "unsent": unsent}
        fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self.update(self._training, completed=steps, **fields)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield both lines; the second takes more of them where it is too long for one."""
        yield self.make_tasks_table(self.tasks)
        for latest in (task.fields["latest"] for task in self.tasks):
            if latest:
                yield Text(latest)
