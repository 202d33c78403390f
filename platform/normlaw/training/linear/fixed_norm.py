"""The students of least loss at given norms: gradient descent with the norm held, run to its end.

On data that a linear classifier separates, the least loss over the sphere is also that over the ball, so
that the problem is convex: its solution is where grad L + nu v = 0 with nu > 0. Newton's method on these
equations, each solution the start of the next, with a line search on the sphere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from normlaw.training.linear.margins import Array, MarginState, SignedInputs
from normlaw_registry import NormlawError

MAX_STEPS = 200
MAX_HALVINGS = 40


def least_loss(
    examples: SignedInputs, start: Array, norms: Iterable[float], tolerance: float
) -> Iterator[Array]:
    """Yield the v of least loss at each norm, in the order given.

    Args:
        examples: what is learnt.
        start: a direction to begin with, (N,).
        norms: norms |v|; neighbours help each other most when they are in order.
        tolerance: bound on the gradient along the sphere relative to the whole gradient.

    Raises:
        NormlawError: no convergence, or the loss falls towards the inside of the sphere; names the norm.

    """
    v = start
    for norm in norms:
        v = at_norm(examples, v * (norm / np.linalg.norm(v)), norm, tolerance)
        yield v


def at_norm(examples: SignedInputs, v: Array, norm: float, tolerance: float) -> Array:
    """Return the student of least loss on |v| = norm, from a start on that sphere. Raises as `least_loss`."""
    here = examples.at(v)
    for _ in range(MAX_STEPS):
        multiplier = float(here.pull @ v) / norm**2
        along = here.pull - multiplier * v  # downhill along the sphere, (N,)
        if np.linalg.norm(along) <= tolerance * np.linalg.norm(here.pull):
            if multiplier <= 0.0:
                raise NormlawError(
                    f"fixed_norm: at norm {norm:g} the loss falls towards smaller norms: no linear classifier "
                    "separates these examples; lower final_norm"
                )
            return v
        curvature = examples.curvature(here)
        curvature[np.diag_indices_from(curvature)] += abs(multiplier)
        factor = cho_factor(curvature, overwrite_a=True)
        towards, radial = cho_solve(factor, along), cho_solve(factor, v)
        step = towards - radial * (v @ towards) / (v @ radial)  # tangent to the sphere
        gain = float(along @ step) * np.exp(log_slope_over_loss(here))  # of -ln L for a short step
        length = 1.0
        for _ in range(MAX_HALVINGS):
            trial = v + length * step
            trial *= norm / np.linalg.norm(trial)
            there = examples.at(trial)
            if there.log_loss <= here.log_loss - 1e-4 * length * gain + 1e-13 * abs(here.log_loss):
                break
            length *= 0.5
        v, here = trial, there
    raise NormlawError(f"fixed_norm: no convergence at norm {norm:g}; raise tolerance from {tolerance:g}")


def log_slope_over_loss(state: MarginState) -> float:
    """Return ln(S/L): -grad ln L is that many times `pull`."""
    return float(np.log(state.mean_slope)) - 2.0 * state.shift - state.log_loss
