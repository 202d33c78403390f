"""The early law fitted in every admissible window, from every first train size, in every bootstrap draw.

These are many small regressions with one shared slope: they are sums over bins of norm, so that each window
is a difference of cumulative sums. A test holds them against statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw.analysis.columns import floats
from normlaw.analysis.noise import noise_variance
from normlaw_registry import InputError

Floats = NDArray[np.float64]

LN10 = float(np.log(10.0))
EDGES = 17
"""Edges that windows may have: 16 equal steps of log norm between the onset and the optimum."""
ONSET = 0.05
"""The early law begins where the error has covered this part of its fall, in logs, to its least."""
MIN_POINTS = 3
"""Mean number of points of a run that a window must hold, at every train size in the fit that it counts."""


@dataclass(frozen=True)
class EarlyScan:
    """Results for every draw (D), window (W) and first train size (F); draw 0 is the study itself."""

    low: Floats
    """Left edges of the windows in ln(lambda/lambda_opt), (W,)."""
    high: Floats
    """Right edges, (W,)."""
    first_sizes: NDArray[np.int64]
    """(F,)."""
    gamma_1: Floats
    """(D, W, F); NaN where a window does not determine it."""
    criterion: Floats
    """chi^2 + 2 k + 2 N_cut, (D, W, F); infinite where the choice is not admissible."""
    points: NDArray[np.int64]
    """Points fitted, (W, F)."""
    noise: float
    """Standard deviation of a single log error about a smooth curve."""


def early_scan(points: pd.DataFrame, optimum: pd.Series[float], multiplicity: Floats) -> EarlyScan:
    """Fit ln eps = a_P - gamma_1 ln lambda in every window and from every first size.

    Args:
        points: run_index (0.. in the order of `multiplicity`), train_size, log_norm, log_error.
        optimum: ln lambda_opt by train size.
        multiplicity: weights of runs, (D, runs).

    Raises:
        InputError: no window between onset and optimum holds enough points.

    """
    relative = floats(points, "log_norm") - points["train_size"].map(optimum).to_numpy(dtype=np.float64)
    onset = _onset(points, relative)
    early = (relative <= 0) & (relative >= onset[points["run_index"].to_numpy()])
    x, y = relative[early], floats(points, "log_error")[early]
    run_of = points["run_index"].to_numpy()[early]
    sizes, size_of_point = np.unique(points["train_size"].to_numpy(), return_inverse=True)
    size_of = np.zeros(multiplicity.shape[1], dtype=np.int64)
    size_of[points["run_index"].to_numpy()] = size_of_point
    if len(x) < 2 * MIN_POINTS:
        raise InputError(
            f"{len(x)} points lie before the optimum, where the early law is read off: measure more often "
            "early in training"
        )
    edges = np.linspace(np.quantile(x, 0.0), 0.0, EDGES)
    y = y - y.mean()
    variance = noise_variance(x, y, run_of)
    left, right = np.triu_indices(EDGES, 1)
    sums = _cumulative_sums(x, y, run_of, edges, multiplicity.shape[1])  # (6, runs, EDGES)
    per_run = sums[:, :, right] - sums[:, :, left]  # (6, runs, W)

    # chi^2 is taken about each run's own level: a run's offset is no misfit of the law.
    n, own = per_run[0], _centred(per_run)
    draws, windows = len(multiplicity), len(left)
    shape = (draws, windows, len(sizes))
    chi: Floats = np.zeros((3, *shape))
    slope: Floats = np.zeros((2, *shape))
    n_size: Floats = np.zeros(shape)
    runs_in: Floats = np.zeros(shape)
    points_in: Floats = np.zeros((windows, len(sizes)))
    for s in range(len(sizes)):
        of = size_of == s
        weight = multiplicity[:, of]  # (D, runs of the size)
        chi[:, :, :, s] = np.tensordot(own[:, of], weight, axes=(1, 1)).transpose(0, 2, 1)
        runs_in[:, :, s] = weight @ (n[of] > 0)
        n_size[:, :, s] = weight @ n[of]
        points_in[:, s] = n[of].sum(axis=0)
        total = np.tensordot(per_run[:, of], weight, axes=(1, 1)).transpose(0, 2, 1)  # (6, D, W)
        slope[:, :, :, s] = _centred(total)[:2]
        poor = n[of].mean(axis=0) < MIN_POINTS  # this size does not count in such a window
        for array in (chi, slope):
            array[..., poor, s] = 0.0
        for array in (runs_in, n_size):
            array[:, poor, s] = 0.0
        points_in[poor, s] = 0
    chi, slope, runs_in = _sum_from_first(chi), _sum_from_first(slope), _sum_from_first(runs_in)
    n_size, points_in = _sum_from_first(n_size), _sum_from_first(points_in)
    with np.errstate(divide="ignore", invalid="ignore"):
        gamma = -slope[1] / slope[0]  # (D, W, F)
        residual = chi[2] - chi[1] ** 2 / chi[0]
    all_points = multiplicity @ np.bincount(run_of, minlength=multiplicity.shape[1])  # (D,)
    criterion = residual / variance + 2 * (runs_in + 1) + 2 * (all_points[:, None, None] - n_size)
    admissible = _admissible(edges, left, right, points_in)
    if not admissible.any():
        raise InputError(
            f"no window between the onset and the optimum holds {MIN_POINTS} points of a run at enough train "
            "sizes: measure more often early in training"
        )
    criterion = np.where(admissible & np.isfinite(gamma), criterion, np.inf)
    return EarlyScan(
        low=edges[left],
        high=edges[right],
        first_sizes=sizes,
        gamma_1=gamma,
        criterion=criterion,
        points=points_in.astype(np.int64),
        noise=float(np.sqrt(variance)),
    )


def _onset(points: pd.DataFrame, relative: Floats) -> Floats:
    """Return for each run where its fall has begun, in ln(lambda/lambda_opt), (runs,)."""
    frame = pd.DataFrame(
        {"run": points["run_index"].to_numpy(), "x": relative, "y": points["log_error"].to_numpy()}
    )
    frame = frame[frame["x"] <= 0]
    groups = frame.groupby("run")
    top, least = groups["y"].transform("first"), groups["y"].transform("min")
    begun = frame["y"] <= top - ONSET * (top - least)
    begun |= ~begun.groupby(frame["run"]).transform("any")
    onset = np.full(int(points["run_index"].max()) + 1, -np.inf)
    first = frame[begun].groupby("run")["x"].min()
    onset[first.index] = first
    return onset


def _cumulative_sums(x: Floats, y: Floats, run_of: NDArray[np.int64], edges: Floats, runs: int) -> Floats:
    """Return the sums of 1, x, y, xx, xy, yy of the points left of each edge, (6, runs, edges)."""
    bins = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
    cell = run_of * (len(edges) - 1) + bins
    cells = runs * (len(edges) - 1)
    terms = (np.ones_like(x), x, y, x * x, x * y, y * y)
    binned = np.stack([np.bincount(cell, t, cells) for t in terms]).reshape(6, runs, -1)
    return np.concatenate([np.zeros((6, runs, 1)), np.cumsum(binned, axis=2)], axis=2)


def _centred(sums: Floats) -> Floats:
    """Return the centred sums of xx, xy, yy from the six raw sums, (3, ...)."""
    n, sx, sy, sxx, sxy, syy = sums
    safe = np.where(n > 0, n, 1.0)
    return np.stack([sxx - sx * sx / safe, sxy - sx * sy / safe, syy - sy * sy / safe])


def _sum_from_first(array: Floats) -> Floats:
    """Return sums over train sizes from each first size to the last: the last axis, cumulated from its end."""
    return np.cumsum(array[..., ::-1], axis=-1)[..., ::-1]


def _admissible(
    edges: Floats, left: NDArray[np.int64], right: NDArray[np.int64], points: Floats
) -> NDArray[np.bool_]:
    """Return which windows and first sizes may be averaged, (W, F).

    A window spans at least half a decade of norm, or half of the range where that is shorter. The fit keeps at
    least four train sizes (all of them where there are fewer), each with enough points in the window.
    """
    width = edges[right] - edges[left]
    wide = width >= min(LN10 / 2, (edges[-1] - edges[0]) / 2) - 1e-12
    own = points - np.concatenate([points[:, 1:], np.zeros((len(points), 1))], axis=1)
    count = _sum_from_first((own > 0).astype(np.float64))
    return np.asarray(wide[:, None] & (count >= min(4, points.shape[1])))
