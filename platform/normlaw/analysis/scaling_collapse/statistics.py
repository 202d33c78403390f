"""The deviation of normalised curves from one curve, and the noise floor of the seeds they were trained with.

With L(x, p, w) the loss of size p and seed w at x, L0 the floor of the loss, and x = 1 at the anchor,

    l(x, p, w) = (L(x, p, w) - L0) / (L(1, p, w) - L0)
    Delta(x)^2 = (mean_p Var_w l + Var_p mean_w l) / (mean_p mean_w l)^2
    sigma(x)   = mean_p [ sqrt(Var_w L) / (mean_w L - L0) ]

with variances of one degree of freedom less (Qiu et al. 2025, arXiv 2507.02119). Sizes have one weight, however
many runs they have. Delta(1) = 0 by construction.

Delta falls below sigma where fluctuations are shared: for runs whose loss deviates by a relative sd s(x), with
the correlation rho between x and the anchor, Var_w l / l^2 = s(x)^2 + s(1)^2 - 2 rho s(x) s(1) to first order:
below s(x)^2 where rho > s(1) / (2 s(x)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normlaw.analysis.scaling_collapse.ladder import Floats


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Functions of x; a leading axis may hold resamplings."""

    deviation: Floats
    """Delta, (..., grid)."""
    noise: Floats
    """sigma, (..., grid)."""


def statistics(
    loss: Floats,
    anchor: Floats,
    size_of: NDArray[np.int64],
    floor: Floats | float,
    excess: Floats | float = 0.0,
) -> Statistics:
    """Return Delta and sigma.

    Args:
        loss: of each run along the grid, (..., runs, grid); the runs of a size stand together.
        anchor: its loss at the anchor, (..., runs).
        size_of: number of the size of each run, (runs,), rising from 0; two runs each at least.
        floor: L0, (...).
        excess: what Delta^2 (mean l)^2 is too large by, (..., grid); see `resampling`.

    """
    floor = np.asarray(floor, dtype=np.float64)[..., None]  # (..., 1)
    reducible = loss - floor[..., None]  # (..., runs, grid)
    normalised = reducible / (anchor - floor)[..., None]  # (..., runs, grid)
    mean, variance = moments(normalised, size_of)  # (..., sizes, grid) each
    between = mean.var(axis=-2, ddof=1)  # (..., grid)
    total = np.maximum(variance.mean(axis=-2) + between - excess, 0.0)
    raw_mean, raw_variance = moments(reducible, size_of)
    return Statistics(
        deviation=np.sqrt(total) / mean.mean(axis=-2),
        noise=(np.sqrt(raw_variance) / raw_mean).mean(axis=-2),
    )


def moments(values: Floats, size_of: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return mean and variance (ddof 1) over the runs of each size, (..., sizes, grid) each."""
    starts = np.flatnonzero(np.r_[True, np.diff(size_of) > 0])
    counts = np.bincount(size_of)[:, None]  # (sizes, 1)
    mean = np.add.reduceat(values, starts, axis=-2) / counts
    squares = np.add.reduceat((values - mean[..., size_of, :]) ** 2, starts, axis=-2)
    return mean, squares / (counts - 1)


@dataclass(frozen=True, kw_only=True)
class Below:
    """Where Delta lies below sigma; a leading axis may hold resamplings."""

    begin: Floats
    """Relative coordinate from which on, without a gap up to the anchor, (...)."""
    end: Floats
    """The same beyond the anchor; the anchor itself where the grid ends there, (...)."""
    share: Floats
    """What part of the grid the range takes, (...)."""
    fraction: Floats
    """Part of the grid where Delta is below sigma, the anchor left out, wherever it is, (...)."""


def below(found: Statistics, relative: Floats, anchor: float) -> Below:
    """Return the range around the anchor in which Delta lies below sigma.

    Where it ends, between two points of the grid, is found on straight lines through Delta and sigma.

    Args:
        found: Delta and sigma, (..., grid).
        relative: the grid, (grid,), the anchor among them.
        anchor: its relative coordinate.

    """
    gap = found.deviation - found.noise  # (..., grid)
    at = int(np.argmin(np.abs(relative - anchor)))
    others = np.arange(len(relative)) != at
    begin = _reach(gap[..., at::-1], relative[at::-1])
    end = _reach(gap[..., at:], relative[at:])
    return Below(
        begin=begin,
        end=end,
        share=(end - begin) / float(np.ptp(relative)),
        fraction=(gap[..., others] < 0).mean(axis=-1),
    )


def _reach(gap: Floats, relative: Floats) -> Floats:
    """Return how far gap < 0 lasts from the first point of a grid on, (...)."""
    above = ~(gap < 0)
    above[..., 0] = False  # the anchor: Delta is 0
    first = np.where(above.any(axis=-1), above.argmax(axis=-1), len(relative))  # (...)
    stop = np.minimum(first, len(relative) - 1)
    inside = np.maximum(stop - 1, 0)
    g0 = np.take_along_axis(gap, inside[..., None], axis=-1)[..., 0]
    g1 = np.take_along_axis(gap, stop[..., None], axis=-1)[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(first < len(relative), -g0 / (g1 - g0), 1.0)
    part = np.where(np.isfinite(part), np.clip(part, 0.0, 1.0), 0.0)
    return np.asarray(relative[inside] + part * (relative[stop] - relative[inside]), dtype=np.float64)
