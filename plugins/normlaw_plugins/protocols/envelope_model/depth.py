"""The model that the laws are tested against: departures whose depth changes with P."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.crossing import Laws, reference
from normlaw_plugins.protocols.envelope_model.fitting import Fit, with_better_variances
from normlaw_plugins.protocols.envelope_model.priors import FREE, Variances
from normlaw_plugins.protocols.envelope_model.shape import DEPTH, GAMMA_2

FROM = (1.0, 1.5)
"""Multiples of gamma_2 to begin at: a departure that changes with P hides in a gamma_2 that is too small."""


@dataclass(frozen=True)
class Depth:
    """delta in eps_opt ~ P^-(gamma_pred - delta), and the evidence for it."""

    value: float
    stderr: float
    log_bayes_factor: float


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
    laws, departures = Laws(best, best.theta), reference(best, best.theta)
    left = float(
        np.nan_to_num(np.mean([laws.left(f, near) for f, near in zip(*departures, strict=True)]), nan=1.0)
    )
    return Depth(
        value=left * float(best.theta[DEPTH]),
        stderr=left * float(np.sqrt(best.posterior[DEPTH, DEPTH])),
        log_bayes_factor=best.evidence - few.evidence,
    )
