"""The interpolator that gradient flow on a diagonal network ends at, by its dual problem."""

from __future__ import annotations

import numpy as np

from normlaw_plugins.theories.diagonal.link import Array, Link
from normlaw_registry import InputError, NormlawError

TOLERANCE = 1e-11
"""Largest residual |X beta - y| in units of |y|."""
MOST_STEPS = 300


def interpolator(inputs: Array, labels: Array, depth: int, initial_scale: float) -> Array:
    """Return the beta of least Q with X beta = y: where gradient flow from w_+ = w_- = a ends.

    Damped Newton's method on the dual function sum_i c Gamma(x_i . nu) - y . nu, Gamma' = G, which is strictly
    convex in nu (Woodworth et al. 2020, arXiv 2002.09277, theorem 1 and its extension to depth D).

    Args:
        inputs: X, shape (n, d), n < d, of full rank.
        labels: y, shape (n,).
        depth: D >= 2.
        initial_scale: a > 0.

    Returns:
        beta, shape (d,).

    Raises:
        InputError: there are not fewer examples than weights.
        NormlawError: the residual stays above TOLERANCE |y|.

    """
    n, d = inputs.shape
    if not n < d:
        raise InputError(f"{n} examples of dimension {d}: an implicit bias needs fewer examples than weights")
    link, log_c = Link(depth), np.array(depth * np.log(initial_scale))
    nu = np.zeros(n)
    size = float(np.linalg.norm(labels))
    for _ in range(MOST_STEPS):
        u = angle(link, inputs.T @ nu)
        beta = link.step(log_c, np.zeros(d), u)
        gradient = inputs @ beta - labels
        if float(np.linalg.norm(gradient)) <= TOLERANCE * size:
            return beta
        curvature = link.slope(log_c, u) / link.s_slope(u)  # c dG/ds, shape (d,)
        direction = np.asarray(-np.linalg.solve((inputs * curvature) @ inputs.T, gradient), dtype=np.float64)
        nu = nu + damping(link, log_c, inputs, labels, nu, direction) * direction
    raise NormlawError(
        f"no interpolator with a residual below {TOLERANCE:g} |y| at depth {depth}, initial_scale = "
        f"{initial_scale:g}; take a larger scale"
    )


def damping(link: Link, log_c: Array, inputs: Array, labels: Array, nu: Array, direction: Array) -> float:
    """Return the longest step 2^-k at which the dual function still falls along the direction.

    A convex function falls until its slope changes sign, which needs no difference of nearly equal values.
    """
    factor = 1.0
    start = abs(
        float(
            (inputs @ link.step(log_c, np.zeros(inputs.shape[1]), angle(link, inputs.T @ nu)) - labels)
            @ direction
        )
    )
    for _ in range(200):
        s = inputs.T @ (nu + factor * direction)
        if link.depth == 2 or float(np.abs(s).max()) < 1.0:
            with np.errstate(over="ignore", invalid="ignore"):
                beta = link.step(log_c, np.zeros_like(s), angle(link, s))
                slope = float((inputs @ beta - labels) @ direction)
            if slope <= 0.5 * start:
                return factor
        factor *= 0.5
    return factor


def angle(link: Link, s: Array) -> Array:
    """Return the u with s(u) = s."""
    return s if link.depth == 2 else np.asarray(np.arctanh(s))
