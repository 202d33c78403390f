"""The floor of the loss, L0, from the final losses of the sizes: L = A z^-b + L0.

Least mean Huber loss of the residuals of ln L, with A, b and L0 not negative, as Hoffmann et al. 2022 (arXiv
2203.15556, eq. 3) fit theirs and Qiu et al. 2025 (arXiv 2507.02119, appendix) this one. The best of a grid of
starts are followed by L-BFGS-B to the least. Written for resamplings: the installed fitters fit by least
squares, and each resampling would ask them anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from normlaw.analysis.scaling_collapse.ladder import Floats, Ladder
from normlaw_registry import AnalysisWarning

WIDTH = 1e-3
"""Of the quadratic part of the Huber loss, in ln of the loss."""
STEPS = 10
"""Starts along each parameter."""
REACH, STEEPEST = 30.0, 10.0
"""How far ln A may lie from ln L, and the largest b: far beyond any loss, and within what a float can hold."""
FOLLOWED = 8
"""Starts that are followed to the least."""
MIN_SIZES = 5


Source = Literal["given", "fitted", "zero"]


@dataclass(frozen=True, kw_only=True)
class Floor:
    """L0."""

    value: float
    source: Source
    theta: Floats | None = None
    """What `fit_floor` found, where it was fitted."""
    warnings: Sequence[AnalysisWarning] = ()


def chosen_floor(ladder: Ladder, final: Floats, least: float, given: float | None) -> Floor:
    """Return the floor that is given, else the one fitted, else 0.

    It is fitted on an abscissa of what was spent, to 5 sizes at least, and where it lies below every run.

    Args:
        ladder: the curves.
        final: mean final loss of each size, (sizes,).
        least: the least final loss of any run.
        given: the floor, if it is known.

    """
    if given is not None:
        return Floor(value=given, source="given")
    if ladder.logarithmic:
        return Floor(value=0.0, source="zero")
    if len(final) < MIN_SIZES:
        what = f"the floor is fitted to {MIN_SIZES} sizes at least, and there are {len(final)}: it is 0"
    else:
        theta = fit_floor(ladder.scale, final)
        if theta[2] < least:
            return Floor(value=float(theta[2]), source="fitted", theta=theta)
        what = (
            f"the floor fitted to the final losses, {theta[2]:.4g}, is not below that of every run, "
            f"{least:.4g}: "
            "what is left to learn is no more than the scatter of seeds; it is 0"
        )
    return Floor(
        value=0.0, source="zero", warnings=(AnalysisWarning(code="collapse_floor_not_fitted", message=what),)
    )


def fit_floor(scale: Floats, loss: Floats, near: Floats | None = None) -> Floats:
    """Return (ln A, b, L0) of L = A (z / mean z)^-b + L0, the mean of z being geometric.

    Args:
        scale: z, (sizes,), positive.
        loss: L, (sizes,), positive.
        near: where to start, as of a resampling; by default from a grid.

    """
    from scipy.optimize import minimize

    x = np.log(scale) - np.log(scale).mean()
    y = np.log(loss)
    least = float(loss.min())
    level = (float(y.min()) - REACH, float(y.max()) + REACH)
    bounds = [level, (0.0, STEEPEST), (0.0, least * (1 - 1e-9))]
    starts = _grid(x, loss, y) if near is None else [near]
    found = [
        minimize(_mean_huber, start, args=(x, y), jac=True, method="L-BFGS-B", bounds=bounds)
        for start in starts
    ]
    best = min(found, key=lambda result: float(result.fun))
    return np.asarray(best.x, dtype=np.float64)


def _grid(x: Floats, loss: Floats, y: Floats) -> list[Floats]:
    """Return the best starts of the grid."""
    least = float(loss.min())
    floors = least * np.linspace(0.0, 0.99, STEPS)
    slopes = np.linspace(0.02, 2.0, STEPS)
    starts = []
    for floor in floors:
        level = np.log(loss - floor).mean()
        starts += [np.array([level + d, b, floor]) for b in slopes for d in np.linspace(-1.0, 1.0, STEPS)]
    values = [_mean_huber(start, x, y)[0] for start in starts]
    return [starts[i] for i in np.argsort(values)[:FOLLOWED]]


def _mean_huber(theta: NDArray[np.float64], x: Floats, y: Floats) -> tuple[float, Floats]:
    """Return the mean Huber loss of the residuals and its gradient, both over the width."""
    power = np.exp(theta[0] - theta[1] * x)
    model = power + theta[2]
    residual = np.log(model) - y
    size = np.abs(residual)
    value = np.where(size <= WIDTH, 0.5 * residual**2 / WIDTH, size - 0.5 * WIDTH).mean()
    slope = np.clip(residual / WIDTH, -1.0, 1.0) / model / len(x)
    return float(value), np.array([(slope * power).sum(), -(slope * power * x).sum(), slope.sum()])
