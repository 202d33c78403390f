"""Newton's method with continuation in the initial scale, from the closed form of the kernel regime.

All loads march together along one path of scales, from large to small. Each solution is then judged by a finer
quadrature than the one that found it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from normlaw_plugins.theories.diagonal.equations import Problem, State, evaluate
from normlaw_plugins.theories.diagonal.link import Array, Link
from normlaw_registry import NormlawError

RESIDUAL_BOUND = 1e-10
"""Largest allowed |E h'/delta - 1| and |(sigma^2 + mse)/(delta tau^2) - 1|, by the finer quadrature."""
CONVERGED = 1e-12
KERNEL = 10.0
"""An initial scale from which on the kernel regime is a start that Newton's method converges from."""
LONGEST_STEP = np.log(4.0)
SHORTEST_STEP = 1e-3
FINER = 1.5
MOST_STEPS = 40
MOST_LOADS = 32
"""Loads solved side by side; more would only fill the memory."""


@dataclass(frozen=True)
class Risk:
    """The fixed points on a grid; every array has shape (len(deltas), len(scales))."""

    theta: Array
    tau: Array
    excess: Array
    """E (h - beta*)^2, the excess test error."""
    second_moment: Array
    """|beta|^2/d."""
    first_moment: Array
    """|beta|_1/d."""
    weight_moment: Array
    """(|w_+|^2 + |w_-|^2)/d, of the weights themselves."""
    residual: Array
    """The larger relative residual of the two equations, by the finer quadrature."""


def solve(
    depth: int, sparsity: float, noise: float, deltas: Sequence[float] | Array, scales: Sequence[float] | Array
) -> Risk:
    """Solve for every pair of a load and an initial scale.

    Args:
        depth: D >= 2.
        sparsity: rho in (0, 1], the fraction of entries of beta* that are not 0.
        noise: sigma >= 0, standard deviation of the label noise.
        deltas: loads n/d in (0, 1).
        scales: initial scales a > 0, in any order.

    Raises:
        NormlawError: the residual stays above RESIDUAL_BOUND somewhere; names delta and the initial scale.

    """
    if len(deltas) > MOST_LOADS:
        parts = [
            solve(depth, sparsity, noise, deltas[i : i + MOST_LOADS], scales)
            for i in range(0, len(deltas), MOST_LOADS)
        ]
        return Risk(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Risk)})
    delta = np.asarray(deltas, dtype=np.float64)
    wanted, place = np.unique(-np.asarray(scales, dtype=np.float64), return_inverse=True)  # largest first
    problem = Problem(Link(depth), delta, sparsity, noise)
    here = float(np.log(max(KERNEL, -wanted[0])))
    point = kernel_start(problem, depth * here)  # (n, 2)
    tangent = np.stack([np.full_like(delta, depth), np.zeros_like(delta)], axis=1)  # theta ~ c, tau constant
    columns = []
    for scale in -wanted:
        target, step, first = float(np.log(scale)), LONGEST_STEP, True
        while first or here > target:
            there = max(here - step, target)
            guess = point + (there - here) * tangent
            corrected = newton(problem, depth * there, guess)
            if corrected is None:
                step *= 0.5
                if step < SHORTEST_STEP:
                    raise unsolved(delta, float(np.exp(there)))
                continue
            if there < here:
                tangent = (corrected - point) / (there - here)
            first, point, here = False, corrected, there
            step = min(2.0 * step, LONGEST_STEP)
        columns.append((point, judged(problem, depth * target, point, float(scale))))

    def grid(of: list[Array]) -> Array:
        return np.stack(of, axis=1)[:, place]

    return Risk(
        theta=grid([np.exp(at[:, 0]) for at, _ in columns]),
        tau=grid([np.exp(at[:, 1]) for at, _ in columns]),
        excess=grid([state.excess for _, state in columns]),
        second_moment=grid([state.second_moment for _, state in columns]),
        weight_moment=grid([state.weight_moment for _, state in columns]),
        first_moment=grid([state.first_moment for _, state in columns]),
        residual=grid([np.abs(np.expm1(state.residual)).max(axis=1) for _, state in columns]),
    )


def kernel_start(problem: Problem, log_c: float) -> Array:
    """Return (ln theta, ln tau), shape (n, 2), of the limit a -> infinity, where h(v) = delta v."""
    delta = problem.delta
    log_theta = log_c + np.log(problem.link.slope_at_zero * (1.0 - delta) / delta)
    tau2 = (problem.noise**2 + (1.0 - delta) ** 2) / (delta * (1.0 - delta))
    return np.stack([log_theta, 0.5 * np.log(tau2)], axis=1)


def newton(problem: Problem, log_c: float, point: Array) -> Array | None:
    """Return the fixed points, shape (n, 2), or None without convergence."""
    for _ in range(MOST_STEPS):
        with np.errstate(all="ignore"):
            state = evaluate(problem, log_c, point[:, 0], point[:, 1])
        if not np.isfinite(state.residual).all() or not np.isfinite(state.jacobian).all():
            return None
        if float(np.abs(state.residual).max()) < CONVERGED:
            return point
        try:
            step = np.linalg.solve(state.jacobian, state.residual[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            return None
        if float(np.abs(step).max()) > 3.0:
            return None
        point = point - step
    return None


def judged(problem: Problem, log_c: float, point: Array, scale: float) -> State:
    """Return the state by the finer quadrature; raises where that does not confirm the fixed points."""
    state = evaluate(problem, log_c, point[:, 0], point[:, 1], finer=FINER)
    good = (np.abs(np.expm1(state.residual)) < RESIDUAL_BOUND).all(axis=1)
    if not bool(good.all()):
        raise unsolved(problem.delta[~good], scale)
    return state


def unsolved(delta: Array, scale: float) -> NormlawError:
    """Return the error that names where no solution could be vouched for."""
    loads = ", ".join(f"{value:g}" for value in delta)
    return NormlawError(
        f"diagonal_network: no fixed point with a residual below {RESIDUAL_BOUND:g} at delta = {loads}, "
        f"initial_scale = {scale:g}; leave these values out"
    )
