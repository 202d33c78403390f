"""The measured endpoint law: a line through the least errors alone.

A random-effects regression (meta-regression): the mean ln least error of each size scatters by what its runs
scatter, and by what the sizes have of their own, whose variance is estimated by restricted maximum likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from normlaw_plugins.protocols.envelope_model.runs import Floats

if TYPE_CHECKING:
    import pandas as pd

TINY = 1e-14


@dataclass(frozen=True)
class Endpoint:
    """ln eps_opt = level - gamma_meas (ln P - centre)."""

    gamma_meas: float
    stderr: float
    freedom: float
    level: float
    level_stderr: float
    centre: float
    between: float
    """Standard deviation of what sizes have of their own."""
    influence: Floats
    """What each run moves gamma_meas, (R,), in the order of the optima."""
    table: pd.DataFrame
    """One row a size, with columns train_size, log_error, stderr and fitted."""


def endpoint_of(optima: pd.DataFrame) -> Endpoint:
    """Return the line through the optima of runs (columns train_size, log_error)."""
    import pandas as pd

    sizes, size_of = np.unique(optima["train_size"].to_numpy(np.float64), return_inverse=True)
    y = optima["log_error"].to_numpy(np.float64)
    counts = np.bincount(size_of)
    means = np.bincount(size_of, y) / counts
    single = counts.min() < 2
    spare = len(y) - len(sizes)
    scatter = y - means[size_of]
    within = 0.0 if single else float((scatter**2).sum() / spare)
    own = within / counts  # (m,) variance of a size's mean
    x = np.log(sizes)
    design = np.stack([np.ones(len(x)), x], axis=1)
    between = _between(design, means, own)
    weight = 1 / (own + between + TINY)
    centre = float((weight * x).sum() / weight.sum())
    pull = weight * (x - centre) / (weight * (x - centre) ** 2).sum()  # (m,) of each mean on the slope
    slope, level = float(pull @ means), float((weight * means).sum() / weight.sum())
    fitted = level + slope * (x - centre)
    # Knapp and Hartung 2003: the scale of the errors is that of the residuals, where it is larger.
    left = max(len(x) - 2, 1)
    scale = max(1.0, float((weight * (means - fitted) ** 2).sum()) / left) if between > 0 else 1.0
    mean_own = float(own.mean())
    exact = mean_own + between <= TINY  # runs that do not scatter
    freedom = left if exact else (mean_own + between) ** 2 / (mean_own**2 / max(spare, 1) + between**2 / left)
    moved = (
        (fitted - means)[size_of] if single else -scatter * np.sqrt(counts / np.maximum(counts - 1, 1))[size_of]
    )
    return Endpoint(
        gamma_meas=-slope,
        stderr=float(np.sqrt(scale / (weight * (x - centre) ** 2).sum())),
        freedom=float(left if single else freedom),
        level=level,
        level_stderr=float(np.sqrt(scale / weight.sum())),
        centre=centre,
        between=float(np.sqrt(between)),
        influence=moved * (pull / counts)[size_of],
        table=pd.DataFrame(
            {
                "train_size": sizes.astype(np.int64),
                "log_error": means,
                "stderr": np.sqrt(own + between),
                "fitted": fitted,
            }
        ),
    )


def _between(design: Floats, means: Floats, own: Floats) -> float:
    """Return the variance between sizes by restricted maximum likelihood."""
    from scipy.optimize import minimize_scalar

    plain = np.linalg.lstsq(design, means, rcond=None)[0]
    residual = float(((means - design @ plain) ** 2).sum() / max(len(means) - 2, 1))
    if residual <= TINY:
        return 0.0

    def deviance(between: float) -> float:
        weight = 1 / (own + between + TINY)
        gram = (design.T * weight) @ design
        left = means - design @ np.linalg.solve(gram, (design.T * weight) @ means)
        return float(-np.log(weight).sum() + np.linalg.slogdet(gram)[1] + (weight * left**2).sum())

    best = minimize_scalar(
        lambda log: deviance(np.exp(log)),
        bounds=(np.log(residual) - 14, np.log(residual) + 3),
        method="bounded",
    )
    return 0.0 if deviance(0.0) <= best.fun else float(np.exp(best.x))
