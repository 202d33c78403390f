"""The scatter of neighbouring points of one run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLOOR = 1e-16
"""Variance below which numbers are taken as exact: about the square of the rounding of log errors."""


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
    if len(x) < 3:
        return FLOOR
    left, middle, right = slice(None, -2), slice(1, -1), slice(2, None)
    span = x[right] - x[left]
    whole = (run_of[left] == run_of[right]) & (span > 0)
    a = (x[right] - x[middle])[whole] / span[whole]
    deviation = y[middle][whole] - a * y[left][whole] - (1 - a) * y[right][whole]
    if len(deviation) == 0:
        return FLOOR
    return max(float(np.mean(deviation**2 / (1 + a**2 + (1 - a) ** 2))), FLOOR)
