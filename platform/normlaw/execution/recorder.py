"""What becomes of a run's measurements while it trains: journal, news, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from normlaw.execution.forks import ForkStates
from normlaw.execution.job import Job, Progress
from normlaw.study.spec import RunSpec
from normlaw.tracking.journal import Journal
from normlaw.training.abscissas import Spectra
from normlaw.training.checkpoints import Checkpoints
from normlaw.training.data import RunData
from normlaw.training.evaluation import Inexact, Point
from normlaw.training.layer_table import Row
from normlaw.training.memory_format import MemoryFormat
from normlaw.training.observer import Observer
from normlaw.training.state import TrainingState


class StopRequestedError(Exception):
    """The user asked to stop; raised at a measuring point, which is a safe place."""


class Recorder(Observer):
    """Writes a run's measurements into its journal first, then tells of them, then may write a checkpoint."""

    def __init__(
        self,
        spec: RunSpec,
        job: Job,
        journal: Journal,
        checkpoints: Checkpoints,
        report: Callable[[Progress], None],
        stopped: Callable[[], bool],
        forks: ForkStates,
    ) -> None:
        self._spec, self._job = spec, job
        self._journal, self._checkpoints = journal, checkpoints
        self._report, self._stopped = report, stopped
        self._forks = forks
        self._latest: Point = {}
        self._saved = time.monotonic()

    def data(self, data: RunData) -> None:
        """Note what the run trains on."""
        self._journal.data(self._spec.dataset.name, data.digest, len(data.train), len(data.test), data.noted)

    def memory_format(self, layout: MemoryFormat) -> None:
        """Note how the network is laid out."""
        self._journal.memory_format(layout.used, layout.reason)

    def point(self, point: Point, inexact: Inexact) -> None:
        """Note a measurement."""
        self._journal.point(point, inexact, wait=False)
        self._latest = point
        self._report(
            Progress(
                self._spec.spec_hash,
                int(point["step"]),
                self._spec.total_steps,
                point.get("test/error", math.nan),
                point.get(f"log_norm/{self._job.abscissa}", math.nan),
                point["test/loss"],
            )
        )

    def spectra(self, step: int, spectra: Spectra) -> None:
        """Note the layers' singular values at the step that is told of next."""
        self._journal.spectra(step, spectra)

    def layers(self, rows: list[Row]) -> None:
        """Note what each layer contributes."""
        self._journal.layers(rows)

    def safe_point(self, state: Callable[[], TrainingState] | None) -> None:
        """Write a checkpoint when the last one is old enough, or when the run is to stop here, and for arms.

        Raises:
            StopRequestedError: the run is to stop.
            NormlawError: the checkpoint cannot be written.

        """
        if state is not None:
            self._forks.keep(self._latest, lambda: self._settled(state))
        stopped = self._stopped()
        due = time.monotonic() - self._saved >= self._job.checkpoint_seconds
        if state is not None and (stopped or due):
            self._checkpoints.save(self._settled(state))
            self._saved = time.monotonic()
        if stopped:
            raise StopRequestedError

    def _settled(self, state: Callable[[], TrainingState]) -> TrainingState:
        """Return a state once its measurement is on the disk."""
        self._journal.settle()
        return state()
