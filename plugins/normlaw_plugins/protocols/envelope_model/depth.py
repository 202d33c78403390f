"""The model that the laws are tested against: departures whose depth changes with P.

That departures change from one train size to the next is said of train sizes, so that these are what its error
is resampled by: a depth that one size makes, and that is gone without it, is a curve out of line and no law.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.crossing import Laws
from normlaw_plugins.protocols.envelope_model.fitting import Fit, with_better_variances
from normlaw_plugins.protocols.envelope_model.priors import FREE, Variances
from normlaw_plugins.protocols.envelope_model.resampling import jackknife, without_each
from normlaw_plugins.protocols.envelope_model.shape import DEPTH, GAMMA_2
from normlaw_plugins.protocols.student import difference_test

FROM = (1.0, 1.5)
"""Multiples of gamma_2 to begin at: a departure that changes with P hides in a gamma_2 that is too small."""


@dataclass(frozen=True)
class Depth:
    """delta in eps_opt ~ P^-(gamma_pred - delta), and the evidence for it."""

    value: float
    stderr: float
    """The larger of the model's and that of leaving out each train size in turn (the jackknife)."""
    freedom: float
    """Degrees of freedom of the jackknife: a size less than there are."""
    log_bayes_factor: float

    @property
    def p_value(self) -> float:
        """Of a test of delta = 0, by Student's t."""
        return difference_test(self.value, self.stderr, self.freedom)["p_value"]


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
    best = max(fits, key=lambda fit: fit.evidence)
    left = Laws(best, best.theta).left
    moved = without_each(best, best.runs.size_of)[:, [DEPTH]]  # (m, 1)
    variance = max(float(best.posterior[DEPTH, DEPTH]), float(jackknife(moved)[0, 0]))
    return Depth(
        value=left * float(best.theta[DEPTH]),
        stderr=left * float(np.sqrt(variance)),
        freedom=len(moved) - 1.0,
        log_bayes_factor=best.evidence - few.evidence,
    )
