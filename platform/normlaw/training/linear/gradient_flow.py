"""Gradient flow of a linear classifier, integrated with steps that follow its own pace.

Gradient descent with a fixed step needs a time that is exponential in the norm. But a path does not depend
on the clock: v' = -grad L runs along the same curve as v' = -grad L / S, S the mean slope of the loss,
whose norm grows about linearly in time. It is stiff (the directions across v relax much faster than v
grows), so that an implicit method of variable order is used, SciPy's BDF with the exact Jacobian; accuracy
alone sets its steps, not stability.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.integrate import BDF
from scipy.optimize import brentq

from normlaw.training.linear.margins import Array, SignedInputs
from normlaw_registry import NormlawError


def gradient_flow(
    examples: SignedInputs, start: Array, norms: Iterable[float], tolerance: float
) -> Iterator[Array]:
    """Yield v where the path from `start` first reaches each norm.

    Args:
        examples: what is learnt.
        start: initial weights, (N,), not zero.
        norms: ascending, none below the norm of `start`.
        tolerance: bound on the local error of a step, relative to each weight.

    Raises:
        NormlawError: the path ends before a norm is reached, as on data that no linear classifier separates.

    """

    def velocity(_: float, v: Array) -> Array:
        return examples.at(v).pull

    def jacobian(_: float, v: Array) -> Array:
        state = examples.at(v)
        hessian, slower = examples.curvature_and_slowing(state)
        return -hessian - np.outer(state.pull, slower)

    reached = float(np.linalg.norm(start))
    small = tolerance * reached / np.sqrt(len(start))
    solver = BDF(velocity, 0.0, start, np.inf, rtol=tolerance, atol=small, jac=jacobian)
    pending = list(norms)
    while pending and pending[0] <= reached:
        yield start * (pending.pop(0) / reached)
    while pending:
        before = reached
        with np.errstate(all="ignore"):  # at rest the steps grow until they overflow
            solver.step()
        reached = float(np.linalg.norm(solver.y))
        if solver.status != "running" or not np.isfinite(reached):
            raise NormlawError(
                f"gradient flow comes to rest at norm {before:g}, before {pending[0]:g}: no linear classifier "
                "separates these examples; lower final_norm"
            )
        if pending[0] <= reached:
            path = solver.dense_output()
            while pending and pending[0] <= reached:
                norm = pending.pop(0)
                time = brentq(lambda s, n=norm, p=path: np.linalg.norm(p(s)) - n, solver.t_old, solver.t)
                yield np.asarray(path(time))
