"""The observer of a training loop."""

from __future__ import annotations

import math
import weakref
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from normlaw.base.failures import Failure
from normlaw.observing.norms import Norms
from normlaw.observing.recording import Recording
from normlaw.training.abscissas import abscissas, spectra
from normlaw.training.layer_table import Row, layer_rows
from normlaw.training.schedule import measuring_steps
from normlaw_registry import Exactness, InputError

Point = Mapping[str, float]
"""step, epoch, test/error, test/loss, ..., log_norm/<measure> (natural log) for each measure."""


class Observer:
    """Takes the norms of a network in a training loop, at the points that the loop chooses; see `observe`.

    A `with` block ends the run: as finished, or as failed with the exception's reason; one that was interrupted
    (Ctrl-C) has no end, and is gone on with by the same program once more.

    Attributes:
        excluded: what of the network has weights and is no linear map, with the reason.
        last_step: of the last point; -1 where there is none yet.

    """

    def __init__(
        self,
        norms: Norms | None,
        recording: Recording | None,
        points: Sequence[Point],
        schedule: tuple[int, int] | None,
    ) -> None:
        self._norms, self._recording = norms, recording
        self._there: dict[int, Point] = {int(point["step"]): point for point in points}
        self._steps = measuring_steps(*schedule) if schedule is not None else None
        self._rows: list[Row] = []
        self._over = False
        self.excluded: Mapping[str, str] = dict(norms.excluded) if norms is not None else {}
        self.last_step = max(self._there, default=-1)
        self._close = weakref.finalize(self, recording.close if recording is not None else _nothing)

    def __enter__(self) -> Self:
        """Return the observer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run, as finished or as failed; leave it open where the program was interrupted."""
        if error is None:
            self.finish()
        elif isinstance(error, Exception):
            self._end(Failure.of(error))
        else:
            self._close()

    def due(self, step: int) -> bool:
        """Return whether the network is to be measured now, at this optimiser step.

        It is where a step of the schedule has been reached and nothing was measured since; so it may be asked
        at every batch, or once an epoch.

        Raises:
            InputError: the observer was made without `steps`, the length of the training.

        """
        if self._steps is None:
            raise InputError("without `steps`, the length of the training, normlaw.observe makes no schedule")
        reached = bisect_right(self._steps, step)
        return not self._over and reached > 0 and self._steps[reached - 1] > self.last_step

    def point(
        self,
        step: int,
        *,
        test_error: float | None = None,
        test_loss: float | None = None,
        train_error: float | None = None,
        train_loss: float | None = None,
        validation_error: float | None = None,
        validation_loss: float | None = None,
        epoch: float | None = None,
    ) -> Point | None:
        """Take the norms of the network as it is now, and note them with these numbers.

        When this returns, the point is on disk. At the last step of the schedule the run is finished.

        Args:
            step: the optimiser step at which the network is; it grows from point to point.
            test_error: fraction of the test examples that are answered wrongly, in [0, 1].
            test_loss: mean loss on them; give this or `test_error`, or both.
            train_error: as test_error, on the training examples.
            train_loss: as test_loss, on the training examples.
            validation_error: as test_error, on the examples that the optimum is chosen on, if they are others.
            validation_loss: as test_loss, on these.
            epoch: how often the training examples have been seen.

        Returns:
            All numbers of the point. A point that the run has already is left as it is, and returned. None for
            steps before the last point that were not measured, and in processes other than the first.

        Raises:
            InputError: a number makes no sense, or the points of the run have other ones; the run is finished.
            NormlawError: a norm is not defined, as a weight is zero or not finite (names the layer), or the
                journal cannot be written.

        """
        if step <= self.last_step:
            return self._there.get(step)
        if self._over:
            raise InputError(f"step {step}: the run is finished; observe it anew to go on with it")
        numbers = {
            "epoch": epoch,
            "train/error": train_error,
            "train/loss": train_loss,
            "test/error": test_error,
            "test/loss": test_loss,
            "validation/error": validation_error,
            "validation/loss": validation_loss,
        }
        given = {name: float(value) for name, value in numbers.items() if value is not None}
        _require_sense(step, given, next(iter(self._there.values()), None))
        if self._recording is None or self._norms is None:
            self.last_step = step
            self._over = self._is_last(step)
            return None
        norms = self._norms.take()
        point = {"step": float(step), **given, **{f"log_norm/{n}": x for n, x in abscissas(norms).items()}}
        inexact: dict[str, Exactness] = {n: v.exactness for n, v in norms.items() if v.exactness != "exact"}
        self._recording.add(point, inexact, spectra(norms))
        self._rows = layer_rows(norms, step)
        if not self._there:
            self._recording.layers(self._rows)
        self._there[step] = point
        self.last_step = step
        if self._is_last(step):
            self.finish()
        return point

    def finish(self) -> None:
        """End the run: it counts as finished at MLflow, and in analyses.

        Nothing happens where it has ended. What a server that is away does not take, `normlaw sync` sends.
        """
        if self._over:
            return
        if self._recording is not None and not self._there:
            self._over = True
            self._close()
            raise InputError("nothing was measured: call `point` at least once before `finish`")
        self._end(None)

    def _is_last(self, step: int) -> bool:
        return self._steps is not None and step >= self._steps[-1]

    def _end(self, failure: Failure | None) -> None:
        if self._over:
            return
        self._over = True
        try:
            if self._recording is not None:
                if failure is None and len(self._there) > 1 and self._rows:
                    self._recording.layers(self._rows)
                self._recording.end(failure)
        finally:
            self._close()


def _nothing() -> None:
    """Do nothing, where another process records."""


def _require_sense(step: int, given: Mapping[str, float], first: Point | None) -> None:
    for name, value in given.items():
        argument = name.replace("/", "_")
        if not math.isfinite(value):
            raise InputError(f"step {step}: {argument} is {value}: the training has diverged")
        if name.endswith("error") and not 0 <= value <= 1:
            raise InputError(f"step {step}: {argument} must be a fraction in [0, 1], got {value:g}")
    if not {"test/error", "test/loss"} & given.keys():
        raise InputError(f"step {step}: give test_error or test_loss: the laws are about them")
    if first is None:
        return
    before = {name for name in first if name != "step" and not name.startswith("log_norm/")}
    if before != given.keys():
        differ = ", ".join(sorted(name.replace("/", "_") for name in before ^ given.keys()))
        raise InputError(
            f"step {step}: give the same numbers at each point of a run, {differ} at all or at none"
        )
