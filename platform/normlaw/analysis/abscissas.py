"""In which clock do the learning curves lie on one envelope: norms, optimiser steps, epochs, training loss.

What is compared are the points of each run before it departs from the others, the same points for every
abscissa (see `abscissa_points`). For an abscissa x, one curve f is asked to tell the log errors y of runs of a
train size that it has not seen:

    SSE(x) = sum over runs r of mean over points i of (y_ri - f_-P(r)(x_ri))^2

f_-P is fitted to the runs of all train sizes but P, each run with the weight 1: a cubic spline with 12 equal
pieces and a penalty on its second differences, which goes on as a straight line (a power law) where only the
runs left out have points. The weight of the penalty is the one of a grid that gives the least SSE(x).

    explained(x) = 1 - SSE(x) / SST

SST is the same for the grand mean curve of the other train sizes: the mean log error at the same share of a
run's own points, first to last, by the same spline. It is what is known of a run without any abscissa. 1: the
curves are one curve in x. 0: x tells no more than that. Below 0: x tells curves apart that are alike.

The error is that of resampling runs with replacement; whole train sizes are left out all the same, so that a
run drawn twice is never told by itself.

The penalised spline (Eilers and Marx 1996, Statistical Science 11, 89) is scipy's B-splines with numpy's
solver: the sums over a run's points are taken once, and a fit to any resampling is the solution of 15
equations. statsmodels' GLMGam and scipy's make_smoothing_spline fit such curves too, but from the points
each time, and a study with 36 train sizes and 7 abscissas asks for 100,000 fits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw.analysis.abscissa_points import MARGIN, Points, points_before_departure
from normlaw_registry import AnalysisWarning, Response

Floats = NDArray[np.float64]

PIECES = 12
"""Equal pieces of the spline."""
PENALTIES = np.logspace(-8, 2, 21)
"""Weights of the penalty that are tried, relative to that of the points."""
DRAWS = 400
"""Resamplings of the runs."""
SEED = 0
"""Of the resamplings."""


@dataclass(frozen=True, kw_only=True)
class Abscissas:
    """How well the curves lie on one envelope in each abscissa."""

    table: pd.DataFrame
    """A row an abscissa, best first: abscissa, kind (norm, time or loss), explained, stderr, low, high
    (confidence limits), rms_log_error (root of SSE per run: 0.05 is 5 % of the error), behind (explained of the
    best minus its own) and behind_stderr, of the same resamplings."""
    total: float
    """Root of SST per run: what there is to explain, in ln of the error."""
    runs: int
    points: int
    """Those that were compared."""
    response: Response
    """What is explained."""
    warnings: tuple[AnalysisWarning, ...] = ()

    @property
    def method(self) -> tuple[str, ...]:
        """How it was measured, a sentence each."""
        return (
            f"{self.runs} runs, {self.points:,} points of them before their {self.response.noun} comes within "
            f"{MARGIN:.0%} of its least; runs of a train size are predicted from those of all others",
            f"the runs differ by {self.total:.3g} in ln of the {self.response.noun} at the same share of their "
            "points: that is what is explained",
        )


def compare_abscissas(
    curves: pd.DataFrame, confidence: float = 0.95, draws: int = DRAWS, response: Response | None = None
) -> Abscissas:
    """Return how well the curves lie on one envelope in each abscissa that they have.

    Args:
        curves: what `normlaw.curves` returns, of one setting; see `points_before_departure`.
        confidence: level of the limits.
        draws: number of resamplings.
        response: what is explained, by default the test error.

    Raises:
        InputError: there is no abscissa, or fewer than 3 train sizes have runs with enough points.

    """
    response = response or Response()
    points, warnings = points_before_departure(curves, response)
    weights = resampled(points, draws)
    total = left_out_errors(points.share, points, weights)  # (1 + draws,)
    errors = {name: left_out_errors(x, points, weights) for name, x in points.abscissas.items()}
    explained = {name: 1 - error / total for name, error in errors.items()}
    best = max(explained, key=lambda name: explained[name][0])
    tail = 50 * (1 - confidence)
    rows = []
    for name, share in explained.items():
        behind = explained[best] - share
        low, high = np.percentile(share[1:], [tail, 100 - tail])
        rows.append(
            {
                "abscissa": name,
                "kind": points.kinds[name],
                "explained": float(share[0]),
                "stderr": float(share[1:].std(ddof=1)),
                "low": float(low),
                "high": float(high),
                "rms_log_error": float(np.sqrt(errors[name][0] / points.runs)),
                "behind": float(behind[0]),
                "behind_stderr": float(behind[1:].std(ddof=1)),
            }
        )
    table = pd.DataFrame(rows).sort_values("explained", ascending=False, kind="stable").reset_index(drop=True)
    spread = float(np.sqrt(total[0] / points.runs))
    if spread < 2 * points.noise:
        what = (
            f"the curves differ by {spread:.2g} in ln of the {response.noun}, little more than neighbouring "
            f"points do ({points.noise:.2g}): there is next to nothing that an abscissa could explain"
        )
        warnings = (*warnings, AnalysisWarning(code="curves_alike", message=what))
    return Abscissas(
        table=table,
        total=spread,
        runs=points.runs,
        points=len(points.log_error),
        response=response,
        warnings=warnings,
    )


def resampled(points: Points, draws: int) -> Floats:
    """Return how often each run counts, (1 + draws, runs): once each, then as drawn (2 sizes at least)."""
    rng = np.random.default_rng(SEED)
    found = [np.ones(points.runs)]
    while len(found) <= draws:
        drawn = rng.integers(points.runs, size=points.runs)
        if len(np.unique(points.size_of[drawn])) > 1:
            found.append(np.bincount(drawn, minlength=points.runs).astype(np.float64))
    return np.stack(found)


def left_out_errors(x: Floats, points: Points, weights: Floats) -> Floats:
    """Return SSE(x) of each row of weights, (rows,).

    Args:
        x: the abscissa at each point, (points,).
        points: the log errors, and which run each point belongs to.
        weights: how often each run counts, (rows, runs); the first row chooses the penalty.

    """
    basis = spline_basis(x)
    y = points.log_error - points.log_error.mean()
    each = 1 / np.bincount(points.run_of)[points.run_of]  # (points,): a run's points share its weight
    starts = np.flatnonzero(np.r_[True, np.diff(points.run_of) > 0])
    products = basis[:, :, None] * basis[:, None, :] * each[:, None, None]
    grams = np.add.reduceat(products, starts)  # (runs, k, k)
    moments = np.add.reduceat(basis * (each * y)[:, None], starts)  # (runs, k)
    squares = np.add.reduceat(each * y**2, starts)  # (runs,)
    of_size = [np.flatnonzero(points.size_of == size) for size in np.unique(points.size_of)]

    def sums(w: Floats) -> tuple[Floats, Floats, Floats]:
        """Return Gram matrices, moments and squares of the runs of each size: (rows, sizes, ...)."""
        return (
            np.stack([np.tensordot(w[:, own], grams[own], 1) for own in of_size], axis=1),
            np.stack([w[:, own] @ moments[own] for own in of_size], axis=1),
            np.stack([w[:, own] @ squares[own] for own in of_size], axis=1),
        )

    first = sums(weights[:1])
    tried = [_left_out(first, penalty)[0] for penalty in PENALTIES]
    return _left_out(sums(weights), float(PENALTIES[int(np.argmin(tried))]))


def _left_out(sums: tuple[Floats, Floats, Floats], penalty: float) -> Floats:
    """Return the sum over sizes of the squared errors of the curve fitted to the other sizes, (rows,)."""
    gram, moment, square = sums
    k = gram.shape[-1]
    second = np.diff(np.eye(k), n=2, axis=0)
    rest = gram.sum(axis=1, keepdims=True) - gram
    scale = np.trace(rest, axis1=2, axis2=3)[..., None, None] / k
    matrix = rest + scale * (penalty * second.T @ second + 1e-12 * np.eye(k))
    right = moment.sum(axis=1, keepdims=True) - moment
    curve = np.linalg.solve(matrix, right[..., None])[..., 0]  # (rows, sizes, k)
    quadratic = np.einsum("rsi,rsij,rsj->rs", curve, gram, curve)
    errors = square - 2 * np.einsum("rsi,rsi->rs", curve, moment) + quadratic
    total: Floats = np.maximum(errors, 0.0).sum(axis=1)
    return total


def spline_basis(x: Floats) -> Floats:
    """Return cubic B-splines with `PIECES` equal pieces over the range of x, (points, PIECES + 3)."""
    from scipy.interpolate import BSpline

    low, width = float(x.min()), float(np.ptp(x)) or 1.0
    knots = np.arange(-3, PIECES + 4) / PIECES
    unit = np.clip((x - low) / width, 0.0, 1.0)
    return np.asarray(BSpline.design_matrix(unit, knots, 3).toarray(), dtype=np.float64)
