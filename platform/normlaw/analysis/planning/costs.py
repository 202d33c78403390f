"""What a run costs, from what the finished ones took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Work:
    """What there is to do in a run."""

    steps: int
    """Of the optimiser."""
    evaluated: int
    """Examples passed forward at measuring points: points times examples."""

    def with_more(self, longer: float = 1.0, denser: float = 1.0) -> Work:
        """Return the work of a run so many times as long, with so many times as many measuring points."""
        return Work(round(self.steps * longer), round(self.evaluated * denser))


@dataclass(frozen=True)
class Costs:
    """Core-seconds = of_a_step * steps + of_an_example * evaluated examples."""

    of_a_step: float
    of_an_example: float

    def seconds(self, work: Work) -> float:
        """Return the core-seconds of a run."""
        return self.of_a_step * work.steps + self.of_an_example * work.evaluated


def costs_of(measured: Mapping[int, Sequence[tuple[Work, float]]]) -> Costs:
    """Return costs by non-negative least squares of relative deviations, of the median of each train size.

    The median: a run that was stopped and gone on with later seems to have taken as long as it lay.

    Args:
        measured: by train size the work and the core-seconds, above 0, of its runs; at least one size.

    """
    from scipy.optimize import nnls

    work = [runs[0][0] for runs in measured.values()]
    took = np.array([np.median([seconds for _, seconds in runs]) for runs in measured.values()])
    design = np.array([[one.steps, one.evaluated] for one in work], dtype=np.float64) / took[:, None]
    scale = np.maximum(design.max(axis=0), 1e-300)
    of_a_step, of_an_example = nnls(design / scale, np.ones(len(took)))[0] / scale
    return Costs(float(of_a_step), float(of_an_example))


def core_seconds(spans: Sequence[tuple[float, float]], at_a_time: int | None) -> list[float]:
    """Return how long each of some runs kept a core busy, where more may be under way than there are cores.

    Runs that are trained together, stacked in one process, share its core evenly.

    Args:
        spans: when each began and ended, in seconds.
        at_a_time: how many processes trained; None: not known, each run had its own.

    >>> core_seconds([(0, 10), (0, 10)], 1), core_seconds([(0, 10), (5, 15)], 2)
    ([5.0, 5.0], [10.0, 10.0])
    """
    if at_a_time is None:
        return [end - begin for begin, end in spans]
    moments = np.unique([moment for span in spans for moment in span])
    begin, end = np.array(spans, dtype=np.float64).T
    alive = (begin[:, None] <= moments[:-1]) & (end[:, None] >= moments[1:])  # (runs, stretches)
    share = np.minimum(1.0, at_a_time / np.maximum(alive.sum(axis=0), 1))
    return [float(one) for one in alive @ (np.diff(moments) * share)]
