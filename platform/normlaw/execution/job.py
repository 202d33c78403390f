"""What the executors and those who call them tell one another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from normlaw.execution.forks import Forks
from normlaw.study.home import journal_path
from normlaw.study.spec import RunSpec

CHECKPOINT_SECONDS = 60.0
"""Work that a killed run loses at most, besides what lies between two measuring points."""
Stack = tuple[RunSpec, ...]
"""Runs that are trained together; mostly one."""


@dataclass(frozen=True)
class Job:
    """What is to be done, and where."""

    study: str
    abscissa: str
    home: Path
    """Folder of the journals and checkpoints."""
    folder: Path
    """Folder of the data sets' files."""
    device: str
    environment: dict[str, Any]
    max_parallel: int
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    """Least time between two checkpoints of a run, which are taken at measuring points."""
    forks: Forks = field(default_factory=dict)
    """Where arms leave their trunks."""
    begun_as: Mapping[str, str] = field(default_factory=dict)
    """Names of the journals of runs that an earlier version began, by the runs' hashes."""
    worker: str = ""
    """What the cluster calls the worker; empty for a process of this machine."""

    def name(self, spec_hash: str) -> str:
        """Return what a run's journal is called: its hash, or what an earlier version called it."""
        former = self.begun_as.get(spec_hash)
        if former is None or journal_path(self.home, self.study, spec_hash).exists():
            return spec_hash
        return former

    def journal(self, spec_hash: str) -> Path:
        """Return where the journal of a run lies."""
        return journal_path(self.home, self.study, self.name(spec_hash))


@dataclass(frozen=True)
class Progress:
    """News from a run in training."""

    spec_hash: str
    step: int
    total_steps: int
    test_error: float
    """Not a number where there is none, as in a regression."""
    log_norm: float
    test_loss: float = math.nan


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `failure` is None when it was trained to its end."""

    spec_hash: str
    failure: str | None = None
    traceback: str = ""
    """As Python shows it, where the run failed with an exception or a crash."""
    stopped: bool = False
    """Stopped on request, not failed."""
    elsewhere: bool = False
    """Left alone: another process is training it, or has finished it meanwhile."""
