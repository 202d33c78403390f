"""The scatter of neighbouring points of one run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FLOOR = 1e-16
"""Variance below which numbers are taken as exact: about the square of the rounding of log errors."""

LEAST = -100.0
"""ln of an error that no test set is large enough to count; a lesser one is taken as this one."""


def odds(log_mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (1 - mu)/mu of ln(mu), any shape; 0 where mu is above 1."""
    return np.asarray(np.expm1(-np.clip(log_mean, LEAST, 0.0)))


def noise_parts(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    run_of: NDArray[np.int64],
    count: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> tuple[float, float]:
    """Return (relative, counting): the variance of the independent part of a log error y of mean ln(mu) is
    relative + counting (1 - mu) / mu.

    A test set of n examples gives counting = 1/n where its errors are independent from point to point. Where
    they are not, as with one test set measured again and again, the data say what is left of it. The squared
    deviations of `noise_variance` are regressed on 1 and (1 - mu)/mu, mu the chord, with coefficients >= 0 and
    weighted by their own expected spread.

    Args:
        x: log norms, (n,), rising within each run.
        y: log errors, (n,).
        run_of: the run's number of each point, (n,), runs one after the other.
        count: what stands in place of (1 - mu)/mu, of ln(mu); None: that.

    """
    from scipy.optimize import nnls

    square, chord = _from_chords(x, y, run_of)
    if len(square) == 0:
        return FLOOR, 0.0
    counts = (count or odds)(chord)
    relative, counting = float(square.mean()), 0.0
    for _ in range(20):
        weight = 1 / (relative + counting * counts + FLOOR)
        (one, other), _ = nnls(np.stack([weight, weight * counts], axis=1), square * weight)
        if one + other == 0:
            break
        relative, counting = float(one), float(other)
    return max(relative, FLOOR), counting


def noise_variance(x: NDArray[np.float64], y: NDArray[np.float64], run_of: NDArray[np.int64]) -> float:
    """Return the variance of the independent part of y, from each point against the chord of its neighbours.

    For points i-1, i, i+1 of one run, the deviation of y_i from the straight line through its neighbours has
    variance sigma^2 (1 + a^2 + b^2), a and b the interpolation weights; a straight law cancels. (Gasser,
    Sroka and Jennen-Steinmetz 1986, Biometrika 73, 625.)

    Args:
        x: log norms, (n,), rising within each run.
        y: log errors, (n,).
        run_of: the run's number of each point, (n,), runs one after the other.

    """
    square, _ = _from_chords(x, y, run_of)
    return max(float(square.mean()), FLOOR) if len(square) else FLOOR


def _from_chords(
    x: NDArray[np.float64], y: NDArray[np.float64], run_of: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for points with neighbours, squared deviations from their chord with the variance of a point, and
    the chord there."""
    if len(x) < 3:
        return np.empty(0), np.empty(0)
    left, middle, right = slice(None, -2), slice(1, -1), slice(2, None)
    span = x[right] - x[left]
    whole = (run_of[left] == run_of[right]) & (span > 0)
    a = (x[right] - x[middle])[whole] / span[whole]
    chord = a * y[left][whole] + (1 - a) * y[right][whole]
    return (y[middle][whole] - chord) ** 2 / (1 + a**2 + (1 - a) ** 2), chord
