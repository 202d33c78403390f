"""The progress of studies as text: a line a study, or all of one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

from normlaw.following.progress import LaunchProgress, Progress, RunProgress, grouped

NAMED = 3
"""Runs that are named of several that failed for one reason."""
SHOWN = 40
"""Runs in training that are listed; the rest is counted."""


def overview(found: Sequence[Progress]) -> str:
    """Return a table, a line a study."""
    rows = [["study", "finished", "running", "to do", "failed", "left", "last heard of"]]
    for progress in found:
        counts = progress.counts
        heard = max((run.updated for run in progress.runs if run.updated), default=None)
        rows.append(
            [
                progress.study,
                f"{counts['finished']:,}/{len(progress.runs):,}",
                f"{counts['running']:,}",
                f"{counts['waiting'] + counts['stopped']:,}",
                f"{counts['failed']:,}",
                left(progress.seconds_left),
                "" if heard is None else ago(progress.looked - heard),
            ]
        )
    return table(rows, numbers=range(1, 6))


def whole(progress: Progress, *, logs: bool = False) -> str:
    """Return all that is to be told of a study; with `logs`, the traceback of each failure too."""
    parts = [headline(progress)]
    if progress.launches:
        parts.append(_launch(progress.launches[0], progress.looked))
    if running := progress.of_state("running"):
        parts.append(_running(running, progress.looked))
    if progress.workers:
        parts.append(_workers(progress))
    parts += list(_failures(progress, logs=logs))
    if not progress.at_work and progress.of_state("waiting", "stopped"):
        begun = len(progress.of_state("stopped"))
        parts.append(
            f"Nobody trains the rest{f' ({begun} begun)' if begun else ''}: "
            f"`normlaw resume {progress.study}` goes on with it."
        )
    return "\n\n".join([*parts, *progress.notes])


def headline(progress: Progress) -> str:
    """Return how many runs are done and how many are not, in one line."""
    counts = progress.counts
    told = [
        f"{counts[state]:,} {state}" for state in ("running", "waiting", "stopped", "failed") if counts[state]
    ]
    line = f"{progress.study}: {counts['finished']:,} of {len(progress.runs):,} runs finished"
    if progress.seconds_left is not None:
        told.append(f"{left(progress.seconds_left)} left")
    return ", ".join([line, *told])


def left(seconds: float | None) -> str:
    """Return how long something takes yet.

    >>> left(75.4), left(None)
    ('0:01:15', '')
    """
    return "" if seconds is None else str(timedelta(seconds=int(seconds)))


def ago(milliseconds: int) -> str:
    """Return how long ago something was.

    >>> ago(1500), ago(90_000), ago(7_300_000), ago(200_000_000)
    ('1 s ago', '1 min ago', '2 h ago', '2 days ago')
    """
    seconds = max(milliseconds, 0) // 1000
    for unit, size, least in (("days", 86_400, 172_800), ("h", 3600, 7200), ("min", 60, 90)):
        if seconds >= least:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def clock(milliseconds: int) -> str:
    """Return a moment as this machine's clock shows it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(milliseconds / 1000))


def at(run: RunProgress) -> str:
    """Return where a run is: its step, and of how many.

    >>> at(RunProgress(name="a", run="b", state="running", step=1200, steps=3000))
    '1,200/3,000'
    """
    if run.step is None:
        return "beginning"
    return f"{run.step:,}" + (f"/{run.steps:,}" if run.steps is not None else "")


def number(value: float | None, form: str) -> str:
    """Return a number that may not be known."""
    return "" if value is None else format(value, form)


def table(rows: Sequence[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """Return rows as text in columns; those of `numbers` end at one place."""
    right = set(numbers)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            f"{cell:>{widths[i]}}" if i in right else f"{cell:<{widths[i]}}" for i, cell in enumerate(row)
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _launch(launch: LaunchProgress, now: int) -> str:
    about = launch.about
    how = ", ".join(
        filter(
            None,
            (
                about.get("executor", ""),
                f"{about['max_parallel']} at a time" if "max_parallel" in about else "",
                f"on {about['device']}" if "device" in about else "",
            ),
        )
    )
    state = {"RUNNING": "at work", "FINISHED": "done", "FAILED": "ended, some runs failed", "KILLED": "stopped"}
    since = f"since {clock(launch.started)}" if launch.at_work else f"begun {clock(launch.started)}"
    if launch.ended is not None:
        since += f", ended {ago(now - launch.ended)}"
    return f"launch {launch.name}: {state[launch.status]}, {since}" + (f" ({how})" if how else "")


def _running(running: Sequence[RunProgress], now: int) -> str:
    rows = [["running", "step", "error", "ln norm", "heard of"]]
    for run in running[:SHOWN]:
        heard = "" if run.updated is None else ago(now - run.updated)
        rows.append([run.name, at(run), number(run.test_error, ".4f"), number(run.log_norm, ".3f"), heard])
    text = table(rows, numbers=(1, 2, 3))
    return text + (f"\nand {len(running) - SHOWN} more" if len(running) > SHOWN else "")


def _workers(progress: Progress) -> str:
    rows = [["worker", "finished", "failed", "is at"]]
    for worker in progress.workers:
        doing = ", ".join(worker.running[:NAMED]) + (" ..." if len(worker.running) > NAMED else "")
        rows.append([worker.name, f"{worker.finished:,}", f"{worker.failed:,}", doing])
    return table(rows, numbers=(1, 2))


def _failures(progress: Progress, *, logs: bool) -> Iterable[str]:
    for reason, runs in grouped(progress.of_state("failed")).items():
        names = ", ".join(run.name for run in runs[:NAMED])
        more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
        lines = [f"failed: {names}{more}", f"  {reason or 'no reason is noted'}"]
        if where := runs[0].journal:
            lines.append(f"  log: {where}")
        if logs and runs[0].traceback:
            lines += [f"    {line}" for line in runs[0].traceback.rstrip().splitlines()]
        yield "\n".join(lines)
