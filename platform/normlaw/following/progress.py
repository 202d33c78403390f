"""How far a study has come: what the terminal and the page show of it, in types of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from normlaw.base.html import paragraph, table, together

State = Literal["finished", "running", "waiting", "stopped", "failed"]
STATES: tuple[State, ...] = ("finished", "running", "waiting", "stopped", "failed")
"""In the order in which they are told."""


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """How far one run has come. Times are milliseconds since 1970."""

    name: str
    run: str
    """The hash of its specification."""
    state: State
    """waiting: not begun, or to be gone on with by a launch at work; stopped: begun, and nobody is at it;
    failed: it ended with an error."""
    step: int | None = None
    """Optimiser step of the latest measurement; None before the first one, or where it is not known."""
    steps: int | None = None
    """Optimiser steps in all; None of a loop that is not normlaw's."""
    points: int | None = None
    """Measurements so far; None where only MLflow has the run."""
    test_error: float | None = None
    log_norm: float | None = None
    """Natural log of the study's norm."""
    started: int | None = None
    updated: int | None = None
    """When the latest thing happened."""
    reason: str = ""
    """Why it failed; of a run that is to be tried again, why it failed before."""
    traceback: str = ""
    """As Python shows it, where there was one."""
    journal: str = ""
    """The file that holds all that was measured; empty where it is on another machine."""
    worker: str = ""
    """Host and process, or what the cluster calls the worker; empty where not noted."""
    launch: str = ""
    """The launch that began it, or went on with it from its start."""
    run_id: str = ""
    """MLflow's, where MLflow has it."""

    @property
    def share(self) -> float:
        """What is done of it, from 0 to 1."""
        if self.state == "finished":
            return 1.0
        return min((self.step or 0) / self.steps, 1.0) if self.steps else 0.0


@dataclass(frozen=True, kw_only=True)
class WorkerProgress:
    """What one worker of the latest launch does and has done."""

    name: str
    running: tuple[str, ...]
    """Names of the runs that it is at."""
    finished: int
    failed: int
    updated: int | None
    """When it was heard of last."""


@dataclass(frozen=True, kw_only=True)
class LaunchProgress:
    """A launch: `normlaw run`, `resume`, or `sync`'s account of one."""

    name: str
    started: int
    ended: int | None
    """None: it is at work, or its process was killed."""
    at_work: bool
    status: str
    """FINISHED, FAILED or KILLED; RUNNING while it is at work."""
    about: dict[str, str] = field(default_factory=dict)
    """Runs, device, executor and processes at a time, as it was told."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a study has come."""

    study: str
    norm: str | None
    """The measure that its laws are read in."""
    looked: int
    """When this was seen, milliseconds since 1970."""
    runs: tuple[RunProgress, ...]
    """In the order of the study; those that it does not name, or no more, behind."""
    workers: tuple[WorkerProgress, ...] = ()
    launches: tuple[LaunchProgress, ...] = ()
    """Of this home, newest first."""
    seconds_left: float | None = None
    """What the running and waiting runs take yet; None where nothing runs, or it is not known yet."""
    notes: tuple[str, ...] = ()
    """What could not be seen, and why."""

    @property
    def counts(self) -> dict[State, int]:
        """How many runs are in each state, in the order of `STATES`."""
        found = Counter(run.state for run in self.runs)
        return {state: found[state] for state in STATES}

    @property
    def at_work(self) -> bool:
        """Whether a launch or a run is under way."""
        return any(launch.at_work for launch in self.launches) or self.counts["running"] > 0

    @property
    def complete(self) -> bool:
        """Whether every run that is known is finished."""
        return bool(self.runs) and self.counts["finished"] == len(self.runs)

    def of_state(self, *states: State) -> tuple[RunProgress, ...]:
        """Return the runs in these states."""
        return tuple(run for run in self.runs if run.state in states)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in JSON's own types."""
        return {
            **asdict(self),
            "counts": dict(self.counts),
            "at_work": self.at_work,
            "complete": self.complete,
        }

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
        shown = [
            (run.name, run.state, run.step, run.reason) for run in self.of_state("running", "failed", "stopped")
        ]
        return together(
            paragraph(counts or "no runs", strong=f"{self.study}:"),
            table(["run", "state", "step", "reason"], shown) if shown else "",
        )


def grouped(failed: Sequence[RunProgress]) -> dict[str, list[RunProgress]]:
    """Return failed runs by their reasons, in order of appearance."""
    groups: dict[str, list[RunProgress]] = {}
    for run in failed:
        groups.setdefault(run.reason, []).append(run)
    return groups
