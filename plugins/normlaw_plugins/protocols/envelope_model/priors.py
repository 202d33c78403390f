"""What is known before the data: weak priors of the named parameters, and the variances that evidence chooses.

Lengths are in units of x (a tenth of the norms measured), so that no prior depends on the norm's scale. The
priors hold a model together whose two slopes would otherwise trade against each other where no curve is
seen before its departure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normlaw_plugins.protocols.envelope_model.parameters import (
    CEILING,
    DEPTH,
    GAMMA_0,
    GAMMA_2,
    LEVEL,
    LOG_A,
    LOG_GAMMA_1,
    LOG_Q,
    LOG_RATIO,
    LOG_SHARPNESS,
    U_0,
    X_1,
)
from normlaw_plugins.protocols.envelope_model.runs import Floats, Runs
from normlaw_plugins.protocols.envelope_model.shape import Shape

SAME, FREE = 0.03, 0.5
"""Standard deviation of gamma_0: "the same for every P", or not. Both are fitted and evidence chooses: a spike
and a slab (Mitchell and Beauchamp 1988)."""

MEANS = {LEVEL: 0.0, GAMMA_0: 0.0, LOG_Q: 0.0, X_1: -1.0, LOG_RATIO: np.log(2.0), GAMMA_2: 0.0}
MEANS |= {LOG_SHARPNESS: np.log(4.0), DEPTH: 0.0}
"""Of the named parameters whose prior does not follow from the curves' least errors."""
ABOVE = 0.3
"""What the chance level is expected above the largest ln error by."""
WIDTHS = {LEVEL: 10.0, GAMMA_0: FREE, LOG_GAMMA_1: 1.0, LOG_Q: 1.0, X_1: 4.0, LOG_A: 1.0, LOG_RATIO: 0.6}
WIDTHS |= {U_0: 5.0, GAMMA_2: 20.0, CEILING: 0.7, LOG_SHARPNESS: 1.0, DEPTH: 1e-5}
"""Standard deviations; that of gamma_2 over the range of ln P."""


@dataclass(frozen=True)
class Variances:
    """What evidence chooses. Runs differ by an offset and by a displacement of their departure, sizes too."""

    noise: float = 1.0
    """Multiple of the noise that neighbouring points show."""
    drift: float = 1e-4
    """Variance of a run's smooth deviation (an Ornstein-Uhlenbeck process in x): its points are correlated."""
    drift_length: float = 0.5
    run_offset: float = 1e-3
    run_shift: float = 1e-2
    size_offset: float = 1e-4
    size_shift: float = 1e-2
    correction_g: float = 0.3**2
    correction_h: float = 0.6**2


LIMITS = {
    "noise": (0.3, 3.0),
    "drift": (1e-10, 1.0),
    "drift_length": (0.05, 5.0),
    "run_offset": (1e-10, 1.0),
    "run_shift": (1e-10, 4.0),
    "size_offset": (1e-9, 0.1),
    "size_shift": (1e-7, 2.0),
    "correction_g": (1e-5, 4.0),
    "correction_h": (1e-5, 9.0),
}
"""Between which each of the variances is searched."""


@dataclass(frozen=True)
class Prior:
    """Independent normal priors, (K,)."""

    mean: Floats
    precision: Floats
    tilt: Floats | float = 0.0
    """Slope of the logarithm of the volume that is left to all other parameters, (K,): see `marginal`."""


def start_of(runs: Runs, shape: Shape, gamma_2: float) -> tuple[Floats, Prior]:
    """Return parameters to begin at and the priors of the named ones, for a guess of gamma_2 (scaled)."""
    x_least = runs.least
    least = np.where(runs.mask, runs.log_error, np.inf).min(axis=1)
    fall = (runs.log_error[:, 0] - least) / np.maximum(x_least - runs.x[:, 0], 1e-9)
    log_slope = float(np.log(max(float(np.median(fall)), 0.02)))
    top = float(runs.log_error[runs.mask].max())
    theta = np.zeros(shape.count)
    theta[LOG_GAMMA_1] = theta[LOG_A] = log_slope + np.log(1.3)
    theta[X_1], theta[LOG_RATIO], theta[GAMMA_2] = -1.0, np.log(2.0), gamma_2
    theta[U_0] = float(np.median(x_least - gamma_2 * runs.p)) - 0.5
    theta[CEILING], theta[LOG_SHARPNESS] = top + 0.05, np.log(4.0)
    mean, precision = np.zeros(shape.count), np.zeros(shape.count)
    seen = {LOG_GAMMA_1: log_slope, LOG_A: log_slope, U_0: theta[U_0], CEILING: top + ABOVE}
    for place, value in {**MEANS, **seen}.items():
        mean[place], precision[place] = value, WIDTHS[place] ** -2.0
    precision[GAMMA_2] = (WIDTHS[GAMMA_2] / runs.span) ** -2.0
    fitted = shape(theta).fitted
    theta[LEVEL] = float((runs.log_error - fitted)[runs.mask].mean())
    return theta, Prior(mean, precision)


def with_variances(prior: Prior, shape: Shape, variances: Variances) -> Prior:
    """Return the prior of all parameters, those of corrections and sizes included."""
    precision = prior.precision.copy()
    precision[shape.g] = 1 / variances.correction_g
    precision[shape.h] = 1 / variances.correction_h
    precision[shape.offsets] = 1 / variances.size_offset
    precision[shape.shifts] = 1 / variances.size_shift
    return Prior(prior.mean, precision, prior.tilt)
