"""The model that the laws are tested against: departures whose depth changes with P.

That departures change from one train size to the next is said of train sizes: the evidence for it must be there
whichever of them is left out. A depth that one size makes is a curve out of line and no law.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from normlaw_plugins.protocols.envelope_model.crossing import Laws
from normlaw_plugins.protocols.envelope_model.fitting import COMPARED, Fit, at_mode, with_better_variances
from normlaw_plugins.protocols.envelope_model.parameters import DEPTH, GAMMA_2
from normlaw_plugins.protocols.envelope_model.priors import FREE, Variances
from normlaw_plugins.protocols.envelope_model.search import FIRST_ROUNDS
from normlaw_plugins.protocols.student import difference_test

STRONG = 3.0
"""Logarithm of the Bayes factor (20) from which evidence counts as strong (Kass and Raftery 1995)."""
FROM = (1.0, 1.5)
"""Multiples of gamma_2 to begin at: a departure that changes with P hides in a gamma_2 that is too small."""


@dataclass(frozen=True)
class Depth:
    """delta in eps_opt ~ P^-(gamma_pred - delta), and the evidence for it."""

    value: float
    stderr: float
    log_bayes_factor: float
    log_bayes_factor_without: float
    """The least of those without one train size each; that of all, where it is no strong one."""

    @property
    def p_value(self) -> float:
        """Of a test of delta = 0, two-sided."""
        return difference_test(self.value, self.stderr, float("inf"))["p_value"]


def depth_of(few: Fit) -> Depth:
    """Return delta, fitted with everything else free again."""
    fits = []
    for factor in FROM:
        named = replace(few.named, precision=few.named.precision.copy())
        named.precision[DEPTH] = FREE**-2.0
        theta = few.theta.copy()
        theta[GAMMA_2] *= factor
        if factor != 1.0:  # what the laws' own fit had to spend on sizes must not hide the difference again
            theta[few.shape.offsets], theta[few.shape.shifts] = 0.0, 0.0
        begun = replace(few, named=named, theta=theta, evidence=-np.inf)
        if factor != 1.0:
            first = Variances()
            begun = replace(
                begun,
                variances=replace(
                    few.variances, size_offset=first.size_offset, size_shift=first.size_shift, drift=first.drift
                ),
            )
        fits.append(with_better_variances(begun))
    best = at_mode(max(fits, key=lambda fit: fit.evidence), COMPARED)
    left = Laws(best, best.theta).left
    factor = best.evidence - few.evidence
    return Depth(
        value=left * float(best.theta[DEPTH]),
        stderr=left * float(np.sqrt(best.posterior[DEPTH, DEPTH])),
        log_bayes_factor=factor,
        log_bayes_factor_without=_least_without_a_size(few, best) if factor > STRONG else factor,
    )


def _least_without_a_size(few: Fit, best: Fit) -> float:
    """Return the least ln of the Bayes factor without one train size, or the first that is not strong."""
    least = np.inf
    for size in range(len(few.runs.sizes)):
        rows = np.flatnonzero(few.runs.size_of != size)
        least = min(least, _part(best, rows).evidence - _part(few, rows).evidence)
        if least <= STRONG:
            break
    return float(least)


def _part(whole: Fit, rows: NDArray[np.int64]) -> Fit:
    """Return the fit of some runs, its variances climbed to for a while from where those of all runs are."""
    runs = whole.runs.subset(rows)
    shape, shifts = whole.shape.for_runs(runs), whole.run_shifts[rows]
    begun = replace(whole, runs=runs, shape=shape, run_shifts=shifts, evidence=-np.inf, settled=None, rivals=())
    return with_better_variances(begun, FIRST_ROUNDS)
