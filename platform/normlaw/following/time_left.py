"""How long a study takes yet, from the pace of the runs that were trained last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from normlaw.following.progress import RunProgress

LATEST = 20
"""Runs whose pace counts: the machine may be busier now than it was."""


def seconds_left(runs: Sequence[RunProgress]) -> float | None:
    """Return how many seconds the running and the waiting runs take yet.

    A step takes what it took in the runs that were heard of last, in the middle of these; as many runs go on at
    a time as do now. None where nothing runs, or no run has come far enough to tell.
    """
    running = [run for run in runs if run.state == "running"]
    to_do = [run for run in runs if run.state in ("running", "waiting")]
    pace = _pace(runs)
    if not running or pace is None:
        return None
    known = [run for run in to_do if run.steps is not None]
    left = [(run.steps or 0) * (1.0 - run.share) * pace for run in known]
    longest = max(left, default=0.0)
    return max(sum(left) / len(running), longest)


def _pace(runs: Iterable[RunProgress]) -> float | None:
    """Return seconds a step; None where it is not known."""
    timed = [
        (run.updated, (run.updated - run.started) / 1000 / run.step)
        for run in runs
        if run.state in ("running", "finished")
        and run.started is not None
        and run.updated is not None
        and run.step
    ]
    timed.sort(reverse=True)
    return median(pace for _, pace in timed[:LATEST]) if timed else None
