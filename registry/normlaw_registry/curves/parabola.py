"""The optimum of each run by a parabola through the points around its least error.

The least measured point is biased low in error (it is the luckiest of several) and its norm is bound to the
measuring grid; a parabola in log error against log norm uses all points near the minimum. Which points are near
is said by the parabola and not by the points, whose luck would choose them; and it is fitted as a generalised
linear model with log link, since the logarithm of a count is biased low.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw_registry.curves.least import least_points
from normlaw_registry.curves.noise import noise_parts, odds
from normlaw_registry.curves.vertices import Vertices, vertices

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DEPTH = 0.02
"""A point belongs to the bottom while the curve's log error is within this of the least (about 2 % of the
error), and within four times the noise there where that is more."""
ROUNDS = 2
"""How often the bottom is chosen again from the parabola; more of them change nothing that counts."""


def parabola_optima(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the optimum of each run with its own uncertainty.

    The bottom of a run is at first the unbroken stretch around its least point whose log errors lie within
    `DEPTH`, or four noise standard deviations, of it, and then where the parabola fitted does, with at least
    two points on either side each time. Noise is that of `noise_parts`, at the bottom's own error. Where the
    parabola does not open upwards, or its vertex falls outside the bottom, the least measured point is kept.

    Args:
        curves: points as `prepare` returns them, sorted by norm within each run.

    Returns:
        One row a run: run, train_size, log_norm, log_error, log_norm_stderr (NaN where the measured point was
        kept), bracketed, smooth (whether the parabola was used).

    """
    optima = least_points(curves)
    count = len(optima)
    run_of = pd.Series(np.arange(count), index=optima["run"]).loc[curves["run"]].to_numpy()  # (n,)
    order = np.argsort(run_of, kind="stable")
    run_of = run_of[order]
    x, y = curves["log_norm"].to_numpy()[order], curves["log_error"].to_numpy()[order]
    parts = noise_parts(x, y, run_of)
    least = optima["log_error"].to_numpy()
    x, y = x - optima["log_norm"].to_numpy()[run_of], y - least[run_of]
    centre = np.zeros(count, dtype=np.int64)
    at_least = np.flatnonzero((x == 0) & (y == 0))
    centre[run_of[at_least][::-1]] = at_least[::-1]
    bottom = _stretches(y, run_of, centre, _depths(parts, least + _luck(y, run_of, centre)))
    found = vertices(x[bottom], y[bottom], run_of[bottom], count)
    for _ in range(ROUNDS):
        near = _around(x, run_of, found, _depths(parts, least + found.least))
        other = np.where(found.usable[run_of], near, bottom)
        if np.array_equal(other, bottom):
            break
        again = vertices(x[other], y[other], run_of[other], count)
        bottom = np.where(again.usable[run_of], other, bottom)
        found = found.replaced(again, again.usable)
    smooth = found.usable & optima["bracketed"].to_numpy()
    stderr = np.sqrt(_variances(parts, least + found.least)) * found.spread
    return optima.assign(
        log_norm=optima["log_norm"] + np.where(smooth, found.vertex, 0.0),
        log_error=optima["log_error"] + np.where(smooth, found.least, 0.0),
        log_norm_stderr=np.where(smooth, stderr, np.nan),
        smooth=smooth,
    )


def _variances(parts: tuple[float, float], log_error: Floats) -> Floats:
    """Return the variance of a point at each log error, any shape."""
    return np.asarray(parts[0] + parts[1] * odds(log_error))


def _depths(parts: tuple[float, float], log_error: Floats) -> Floats:
    """Return how deep a bottom is counted at each least log error, (R,)."""
    return np.asarray(np.maximum(DEPTH, 4 * np.sqrt(_variances(parts, log_error))))


def _luck(y: Floats, run_of: Integers, centre: Integers) -> Floats:
    """Return the mean of each run's least point and its neighbours, less the least point, (R,)."""
    beside = np.clip(centre[:, None] + np.array([-1, 0, 1]), 0, len(y) - 1)  # (R, 3)
    return np.asarray(np.where(run_of[beside] == run_of[centre][:, None], y[beside], 0.0).mean(axis=1))


def _stretches(y: Floats, run_of: Integers, centre: Integers, depth: Floats) -> NDArray[np.bool_]:
    """Return which points lie in the unbroken stretch around their run's least point, y = 0, (n,)."""
    index, middle, above = np.arange(len(y)), centre[run_of], y > depth[run_of]
    high = np.cumsum(above)
    # Between a point and the least one there must be no point above the depth.
    between = np.where(index >= middle, high - high[middle], high[middle] - high + above)
    return np.asarray((between == 0) | (np.abs(index - middle) <= 2))


def _around(x: Floats, run_of: Integers, found: Vertices, depth: Floats) -> NDArray[np.bool_]:
    """Return which points lie where a run's parabola is within its depth, or are the five about it, (n,)."""
    away = np.abs(x - found.vertex[run_of])
    order = np.lexsort((away, run_of))
    first = np.flatnonzero(np.r_[True, run_of[1:] != run_of[:-1]])
    nearest = order[first][run_of]
    close = np.abs(np.arange(len(x)) - nearest) <= 2
    return np.asarray((away <= np.sqrt(depth / found.bend)[run_of]) | close)
