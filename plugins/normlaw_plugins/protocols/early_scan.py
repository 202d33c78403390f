"""The early law fitted in every admissible window, from every first train size, in every bootstrap draw.

These are many small regressions with one shared slope: they are sums over bins of norm, so that each window
is a difference of cumulative sums. A test holds them against statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw_registry import InputError
from normlaw_registry.curves.columns import floats
from normlaw_registry.curves.noise import noise_variance

Floats = NDArray[np.float64]

LN10 = float(np.log(10.0))
EDGES = 17
"""Edges that windows may have: 16 equal steps of log norm between the onset and the optimum."""
ONSET = 0.05
"""The early law begins where the error has covered this part of its fall, in logs, to its least."""
MIN_POINTS = 3
"""Mean number of points of a run that a window must hold, at every train size in the fit that it counts."""


CORRECTIONS = (2.0, 3.0, 4.5, 7.0, 10.0, 15.0)
"""Shapes of the approach to the optimum: exp(m x / r), r the range of x = ln(lambda/lambda_opt) searched."""


@dataclass(frozen=True)
class EarlyScan:
    """Results for every draw (D), window (W), first train size (F) and shape (S); draw 0 is the study itself.

    Shape 0 is the straight law; the others have a term c exp(m x / r) that vanishes early and bends the
    curve towards its optimum.
    """

    low: Floats
    """Left edges of the windows in ln(lambda/lambda_opt), (W,)."""
    high: Floats
    """Right edges, (W,)."""
    first_sizes: NDArray[np.int64]
    """(F,)."""
    corrections: tuple[float, ...]
    """m of each shape; 0 for the straight law, (S,)."""
    gamma_1: Floats
    """(D, W, F, S); NaN where a window does not determine it."""
    criterion: Floats
    """chi^2 + 2 k + 2 N_cut, (D, W, F, S); infinite where the choice is not admissible."""
    points: NDArray[np.int64]
    """Points fitted, (W, F)."""
    noise: float
    """Standard deviation of a single log error about a smooth curve."""


def early_scan(
    points: pd.DataFrame, optimum: pd.Series[float], run_optimum: Floats, multiplicity: Floats
) -> EarlyScan:
    """Fit ln eps = a_P - gamma_1 ln lambda (+ correction) in every window and from every first size.

    Args:
        points: run_index (0.. in the order of `multiplicity`), train_size, log_norm, log_error.
        optimum: ln lambda_opt by train size; windows are relative to it.
        run_optimum: ln lambda_opt of each run, (runs,); corrections are relative to it.
        multiplicity: weights of runs, (D, runs).

    Raises:
        InputError: no window between onset and optimum holds enough points.

    """
    runs = multiplicity.shape[1]
    relative = floats(points, "log_norm") - points["train_size"].map(optimum).to_numpy(dtype=np.float64)
    onset = _onset(points, relative)
    early = (relative <= 0) & (relative >= onset[points["run_index"].to_numpy()])
    x, y = relative[early], floats(points, "log_error")[early]
    run_of = points["run_index"].to_numpy()[early]
    sizes, size_of_point = np.unique(points["train_size"].to_numpy(), return_inverse=True)
    size_of = np.zeros(runs, dtype=np.int64)
    size_of[points["run_index"].to_numpy()] = size_of_point
    if len(x) < 2 * MIN_POINTS or not (x < 0).any():
        raise InputError(
            f"{int((x < 0).sum())} points lie before the optimum, where the early law is read off: measure "
            "more often early in training"
        )
    edges = np.linspace(x.min(), 0.0, EDGES)
    y = y - y.mean()
    variance = noise_variance(x, y, run_of)
    from_own = floats(points, "log_norm")[early] - run_optimum[run_of]
    bends = [np.exp(m * np.minimum(from_own, 0.0) / -edges[0]) for m in CORRECTIONS]
    left, right = _wide_windows(edges)
    sums = _cumulative_sums(x, y, bends, run_of, edges, runs)  # (terms, runs, EDGES)
    per_run = sums[:, :, right] - sums[:, :, left]  # (terms, runs, W)
    own = _centred(per_run)

    # chi^2 is taken about each run's own level: a run's offset is no misfit of the law.
    least = min(4, len(sizes))
    shape = (len(multiplicity), len(left), len(sizes) - least + 1, 1 + len(CORRECTIONS))
    gamma: Floats = np.full((*shape[2:], *shape[:2]), np.nan)  # (F, S, D, W): a choice's numbers side by side
    criterion: Floats = np.full(gamma.shape, np.inf)
    all_points = (multiplicity @ np.bincount(run_of, minlength=runs))[:, None]  # (D, 1)
    within, about = np.zeros((2, len(own), *shape[:2]))  # sums about levels of sizes, of runs
    fitted, levels = np.zeros((2, *shape[:2]))
    counted: NDArray[np.int64] = np.zeros(shape[1], dtype=np.int64)
    kept: NDArray[np.int64] = np.zeros((shape[1], len(sizes)), dtype=np.int64)
    for f in reversed(range(len(sizes))):
        of = size_of == f
        weight = multiplicity[:, of]  # (D, runs of the size)
        n = per_run[0, of]
        rich = n.mean(axis=0) >= MIN_POINTS  # (W,); else this size does not count in the window
        total = weight @ per_run[:, of]  # (terms, D, W)
        within += rich * _centred(total)
        about += rich * (weight @ own[:, of])
        fitted += rich * total[0]
        levels += rich * (weight @ (n > 0))
        counted += rich
        kept[:, f] = (kept[:, f + 1] if f + 1 < len(sizes) else 0) + (rich * n.sum(axis=0)).astype(np.int64)
        if f >= shape[2]:
            continue  # too few sizes yet
        usable = counted >= least
        for s in range(shape[3]):
            gamma[f, s], determined = _slope(within, s)
            ic = _misfit(about, s) / variance + 2 * (levels + 1 + (s > 0)) + 2 * (all_points - fitted)
            np.copyto(criterion[f, s], ic, where=usable & determined)
    gamma, criterion = (np.ascontiguousarray(each.transpose(2, 3, 0, 1)) for each in (gamma, criterion))
    if not np.isfinite(criterion[0]).any():
        raise InputError(
            f"no window between the onset and the optimum holds {MIN_POINTS} points of a run at enough train "
            "sizes: measure more often early in training"
        )
    return EarlyScan(
        low=edges[left],
        high=edges[right],
        first_sizes=sizes[: shape[2]],
        corrections=(0.0, *CORRECTIONS),
        gamma_1=gamma,
        criterion=criterion,
        points=kept[:, : shape[2]],
        noise=float(np.sqrt(variance)),
    )


def _slope(c: Floats, shape: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return gamma_1 from centred sums, and where it is determined and the bend goes the right way."""
    xx, xy = c[0], c[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        if shape == 0:
            gamma = -xy / xx
            return gamma, np.isfinite(gamma)
        xb, yb, bb = c[shape * 3], c[shape * 3 + 1], c[shape * 3 + 2]
        det = xx * bb - xb * xb
        gamma = -(xy * bb - yb * xb) / det
        bend = (yb * xx - xy * xb) / det
    return gamma, np.isfinite(gamma) & (det > 1e-6 * xx * bb) & (bend > 0)


def _misfit(c: Floats, shape: int) -> Floats:
    """Return the least sum of squares from centred sums."""
    xx, xy, yy = c[0], c[1], c[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        if shape == 0:
            return np.asarray(yy - xy * xy / xx)
        xb, yb, bb = c[shape * 3], c[shape * 3 + 1], c[shape * 3 + 2]
        det = xx * bb - xb * xb
        return np.asarray(yy - (xy * xy * bb - 2 * xy * yb * xb + yb * yb * xx) / det)


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


def _cumulative_sums(
    x: Floats, y: Floats, bends: list[Floats], run_of: NDArray[np.int64], edges: Floats, runs: int
) -> Floats:
    """Return the sums of 1, x, y, xx, xy, yy, then b, xb, yb, bb of each bend, left of each edge.

    Shape (6 + 4 bends, runs, edges).
    """
    bins = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
    cell = run_of * (len(edges) - 1) + bins
    cells = runs * (len(edges) - 1)
    terms = [np.ones_like(x), x, y, x * x, x * y, y * y]
    for b in bends:
        terms += [b, x * b, y * b, b * b]
    binned = np.stack([np.bincount(cell, t, cells) for t in terms]).reshape(len(terms), runs, -1)
    return np.concatenate([np.zeros((len(terms), runs, 1)), np.cumsum(binned, axis=2)], axis=2)


def _centred(sums: Floats) -> Floats:
    """Return the centred sums xx, xy, yy, then xb, yb, bb of each bend, (3 + 3 bends, ...)."""
    n, sx, sy, sxx, sxy, syy = sums[:6]
    per = 1 / np.where(n > 0, n, 1.0)
    out = [sxx - sx * sx * per, sxy - sx * sy * per, syy - sy * sy * per]
    for k in range(6, len(sums), 4):
        sb, sxb, syb, sbb = sums[k : k + 4]
        out += [sxb - sx * sb * per, syb - sy * sb * per, sbb - sb * sb * per]
    return np.stack(out)


def _wide_windows(edges: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return left and right edges of the windows that are wide enough.

    A window spans at least half a decade of norm, or half of the range where that is shorter.
    """
    left, right = np.triu_indices(len(edges), 1)
    wide = edges[right] - edges[left] >= min(LN10 / 2, -edges[0] / 2) - 1e-12
    return left[wide], right[wide]
