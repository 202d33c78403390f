"""The optimum of each run by a parabola through the points around its least error.

The least measured point is biased low in error (it is the luckiest of several) and its norm is bound to the
measuring grid; a parabola in log error against log norm uses all points near the minimum.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw_registry.curves.least import least_points
from normlaw_registry.curves.noise import noise_variance

DEPTH = 0.02
"""A point belongs to the bottom while its log error is within this of the least (about 2 % of the error),
and within four times the noise where that is more."""
MIN_POINTS = 5


def parabola_optima(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the optimum of each run with its own uncertainty.

    The bottom of a run is the unbroken stretch around its least point whose log errors lie within `DEPTH`,
    or four noise standard deviations, of it, and at least two points on either side. Where the parabola
    does not open upwards, or its vertex falls outside the bottom, the least measured point is kept.

    Args:
        curves: points as `prepare` returns them, sorted by norm within each run.

    Returns:
        One row a run: run, train_size, log_norm, log_error, log_norm_stderr (NaN where the measured point was
        kept), bracketed, smooth (whether the parabola was used).

    """
    optima = least_points(curves)
    run_of = pd.Series(np.arange(len(optima)), index=optima["run"]).loc[curves["run"]].to_numpy()  # (n,)
    order = np.argsort(run_of, kind="stable")
    run_of = run_of[order]
    x, y = curves["log_norm"].to_numpy()[order], curves["log_error"].to_numpy()[order]
    x = x - optima["log_norm"].to_numpy()[run_of]
    y = y - optima["log_error"].to_numpy()[run_of]
    variance = noise_variance(x, y, run_of)
    bottom = _bottoms(x, y, run_of, max(DEPTH, 4 * float(np.sqrt(variance))))

    count = len(optima)
    at = run_of[bottom]
    powers = np.stack([x[bottom] ** k for k in range(5)])  # (5, m)
    moments = np.stack([np.bincount(at, p, count) for p in powers])  # (5, runs)
    right = np.stack([np.bincount(at, powers[k] * y[bottom], count) for k in range(3)], axis=1)  # (runs, 3)
    gram = np.stack([moments[i : i + 3] for i in range(3)]).transpose(2, 0, 1)  # (runs, 3, 3)
    scale = np.sqrt(np.maximum(moments[2] / np.maximum(moments[0], 1), 1e-300))  # (runs,) spread of x
    unit = np.stack([np.ones(count), scale, scale**2], axis=1)
    gram_unit = gram / (unit[:, :, None] * unit[:, None, :])
    solvable = (moments[0] >= MIN_POINTS) & (np.linalg.cond(gram_unit) < 1e8)
    gram_unit[~solvable] = np.eye(3)
    inverse = np.linalg.inv(gram_unit)
    a, b, c = (np.einsum("rij,rj->ri", inverse, right / unit) / unit).T  # y = a + b x + c x^2
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = -b / (2 * c)
        gradient = np.stack([np.zeros(count), -1 / (2 * c), b / (2 * c**2)], axis=1) / unit
        stderr = np.sqrt(variance * np.einsum("ri,rij,rj->r", gradient, inverse, gradient))
    lowest, highest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(lowest, at, x[bottom])
    np.maximum.at(highest, at, x[bottom])
    smooth = solvable & (c > 0) & (vertex > lowest) & (vertex < highest) & optima["bracketed"].to_numpy()
    return optima.assign(
        log_norm=optima["log_norm"] + np.where(smooth, vertex, 0.0),
        log_error=optima["log_error"] + np.where(smooth, a - b**2 / (4 * np.where(c == 0, 1, c)), 0.0),
        log_norm_stderr=np.where(smooth, stderr, np.nan),
        smooth=smooth,
    )


def _bottoms(
    x: NDArray[np.float64], y: NDArray[np.float64], run_of: NDArray[np.int64], depth: float
) -> NDArray[np.bool_]:
    """Return which points lie in their run's bottom; x and y are relative to the least point, (n,)."""
    n = len(x)
    index = np.arange(n)
    least = np.zeros(run_of.max() + 1, dtype=np.int64)
    at_least = (x == 0) & (y == 0)
    least[run_of[at_least][::-1]] = index[at_least][::-1]
    centre = least[run_of]
    high = np.cumsum(y > depth)
    # Between a point and the least one there must be no point above the depth.
    between = np.where(index >= centre, high - high[centre], high[centre] - high + (y > depth))
    near = np.abs(index - centre) <= 2
    return np.asarray((between == 0) | near)
