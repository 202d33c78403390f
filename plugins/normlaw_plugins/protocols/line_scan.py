"""A line in logarithms against P through one value a run, from every first train size, in every draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LineScan:
    """Results for every draw (D) and first train size (F); draw 0 is the study itself."""

    slope: Floats
    """d value / d ln P, (D, F)."""
    criterion: Floats
    """chi^2 + 2 k + 2 N_cut of the means of train sizes, (D, F); infinite where fewer than 3 sizes are left."""


def line_scan(value: Floats, size_of: NDArray[np.int64], log_sizes: Floats, multiplicity: Floats) -> LineScan:
    """Fit value = a + slope ln P from every first train size on.

    chi^2 is that of the means of train sizes about the line. The variance of one run's value is pooled over
    sizes; where sizes have one run each, it comes from each size against the chord of its neighbours.

    Args:
        value: one value a run, (runs,).
        size_of: number of the train size of each run, (runs,).
        log_sizes: ln P of each train size, rising, (sizes,).
        multiplicity: weights of runs, (D, runs).

    """
    sizes = len(log_sizes)
    member = (size_of[:, None] == np.arange(sizes)).astype(np.float64)  # (runs, sizes)
    count = multiplicity @ member  # (D, sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (multiplicity * value) @ member / count
    mean = np.where(count > 0, mean, 0.0)
    x = log_sizes[None, :]

    def tail(a: Floats) -> Floats:
        return np.cumsum(a[:, ::-1], axis=1)[:, ::-1]

    n, sx, sy = tail(count), tail(count * x), tail(count * mean)
    sxx, sxy, syy = tail(count * x * x), tail(count * x * mean), tail(count * mean * mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        cxx, cxy, cyy = sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n
        slope = cxy / cxx
        misfit = np.maximum(cyy - cxy * cxy / cxx, 0.0)
    # A draw's means scatter about the study's, which scatter about the law: together twice the variance.
    variance = _variance(value, size_of, log_sizes) * np.where(np.arange(len(mean)) == 0, 1.0, 2.0)[:, None]
    present = tail((count > 0).astype(np.float64))
    cut = present[:, :1] - present
    criterion = misfit / variance + 2 * 2 + 2 * cut
    least = min(4, sizes)
    kept = sizes - np.arange(sizes)
    usable = (kept >= least)[None, :] & (present >= 2) & np.isfinite(slope) & (cxx > 1e-12)
    return LineScan(slope=slope, criterion=np.where(usable, criterion, np.inf))


def _variance(value: Floats, size_of: NDArray[np.int64], log_sizes: Floats) -> float:
    """Return the variance of one run's value about its size's expectation."""
    from normlaw_registry.curves.noise import FLOOR, noise_variance

    counts = np.bincount(size_of, minlength=len(log_sizes))
    means = np.bincount(size_of, value, len(log_sizes)) / counts
    freedom = len(value) - len(log_sizes)
    if freedom >= len(log_sizes):
        return max(float(((value - means[size_of]) ** 2).sum() / freedom), FLOOR)
    return noise_variance(log_sizes, means, np.zeros(len(log_sizes), dtype=np.int64))
