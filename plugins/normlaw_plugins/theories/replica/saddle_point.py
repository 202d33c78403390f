"""Newton's method with continuation in lambda, from the closed form at lambda -> 0 (Hebb's rule).

All loads march together along one path of norms; the tangent of the solution curve predicts the next point,
Newton's method corrects it. Each solution is then judged by a finer quadrature than the one that found it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from normlaw_plugins.theories.replica.equations import Equations, evaluate, sine
from normlaw_plugins.theories.replica.losses import Array, MarginLoss
from normlaw_plugins.theories.replica.quadrature import NODES
from normlaw_registry import NormlawError

ALPHA_RANGE = (0.1, 1e4)
NORM_RANGE = (1e-4, 1e4)
RESIDUAL_BOUND = 1e-10
"""Largest allowed |alpha A / s^2 - 1| and |alpha sqrt(2/pi) B / R - 1|."""

CONVERGED = 1e-12
LONGEST_STEP = np.log(3.0)
SHORTEST_STEP = 1e-3
JUDGE_NODES = NODES + 7
MOST_LOADS = 64
"""Loads solved side by side; more would only fill the memory."""


@dataclass(frozen=True)
class Solution:
    """Saddle points on a grid; every array has shape (len(alphas), len(norms))."""

    log_c: Array
    """ln(lambda chi)."""
    phi: Array
    """ln tan(theta)."""
    residual: Array
    """The larger of the two relative residuals, from the finer quadrature."""
    d_phi: Array
    """dphi/dln(lambda) along the solution curve: its zero is the least error."""

    @property
    def error(self) -> Array:
        """Generalisation error theta/pi."""
        return np.asarray(np.arctan(np.exp(self.phi)) / np.pi)

    @property
    def overlap(self) -> Array:
        """R = cos(theta)."""
        return sine(-self.phi)


def solve(loss: MarginLoss, alphas: Sequence[float] | Array, norms: Sequence[float] | Array) -> Solution:
    """Solve for every pair of a load and a norm.

    Args:
        loss: its proximal map.
        alphas: loads P/N, each in ALPHA_RANGE.
        norms: norms lambda, each in NORM_RANGE, in any order.

    Raises:
        NormlawError: the residual stays above RESIDUAL_BOUND somewhere; names alpha and lambda.

    """
    if len(alphas) > MOST_LOADS:
        parts = [solve(loss, alphas[i : i + MOST_LOADS], norms) for i in range(0, len(alphas), MOST_LOADS)]
        return Solution(
            **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Solution)}
        )
    alpha = np.asarray(alphas, dtype=np.float64)
    wanted, place = np.unique(np.asarray(norms, dtype=np.float64), return_inverse=True)
    point = hebb_start(alpha, NORM_RANGE[0])  # (n, 2)
    here, tangent = float(np.log(NORM_RANGE[0])), np.zeros_like(point)
    columns = []
    for norm in wanted:
        target = float(np.log(norm))
        first = True
        step = LONGEST_STEP
        while first or here < target:
            first = False
            there = min(here + step, target)
            corrected = newton(
                loss, alpha, np.full_like(alpha, np.exp(there)), point + (there - here) * tangent
            )
            if corrected is None:
                step *= 0.5
                if step < SHORTEST_STEP:
                    raise unsolved(loss, alpha, float(np.exp(there)))
                continue
            point, tangent = corrected
            here, step = there, min(2.0 * step, LONGEST_STEP)
        columns.append(judged(loss, alpha, float(norm), point, tangent))
    return Solution(
        **{name: np.stack([column[name] for column in columns], axis=1)[:, place] for name in columns[0]}
    )


def hebb_start(alpha: Array, norm: float) -> Array:
    """Return (x, phi), shape (n, 2), of the limit lambda -> 0, where Delta(t) = chi for all t."""
    chi = 1.0 / np.sqrt(alpha + 2.0 * alpha**2 / np.pi)
    return np.stack([np.log(norm * chi), 0.5 * np.log(np.pi / (2.0 * alpha))], axis=1)


def newton(loss: MarginLoss, alpha: Array, norm: Array, point: Array) -> tuple[Array, Array] | None:
    """Return the saddle points and their tangents by ln(lambda), both (n, 2), or None without convergence."""
    for _ in range(12):
        with np.errstate(all="ignore"):
            state = evaluate(loss, alpha, norm, point[:, 0], point[:, 1])
        if not np.isfinite(state.residual).all() or not np.isfinite(state.jacobian).all():
            return None
        if float(np.abs(state.residual).max()) < CONVERGED:
            return point, slope(state)
        try:
            step = np.linalg.solve(state.jacobian, state.residual[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            return None
        point = point - step
    return None


def slope(state: Equations) -> Array:
    """Return d(x, phi)/dln(lambda) along the solution curve, shape (n, 2)."""
    return np.asarray(-np.linalg.solve(state.jacobian, state.by_log_norm[:, :, None])[:, :, 0])


def judged(loss: MarginLoss, alpha: Array, norm: float, point: Array, tangent: Array) -> dict[str, Array]:
    """Return one column of the solution; raises where the finer quadrature does not confirm it."""
    state = evaluate(loss, alpha, np.full_like(alpha, norm), point[:, 0], point[:, 1], nodes=JUDGE_NODES)
    residual = np.abs(np.expm1(state.residual)).max(axis=1)
    if not bool((residual < RESIDUAL_BOUND).all()):
        raise unsolved(loss, alpha[~(residual < RESIDUAL_BOUND)], norm)
    return {"log_c": point[:, 0], "phi": point[:, 1], "residual": residual, "d_phi": tangent[:, 1]}


def unsolved(loss: MarginLoss, alpha: Array, norm: float) -> NormlawError:
    """Return the error that names where no solution could be vouched for."""
    loads = ", ".join(f"{value:g}" for value in alpha)
    return NormlawError(
        f"{loss.name} loss: no saddle point with a residual below {RESIDUAL_BOUND:g} at alpha = {loads}, "
        f"lambda = {norm:g}; leave these values out"
    )
