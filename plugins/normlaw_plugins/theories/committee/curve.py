"""The error and the norm of a student in time: integrated twice, and given only where both agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from normlaw_plugins.theories.committee.averages import ERRORS, Array
from normlaw_plugins.theories.committee.flow import Flow
from normlaw_plugins.theories.committee.integrate import integrate
from normlaw_plugins.theories.committee.model import Model, Overlaps
from normlaw_registry import InputError, NormlawError

LARGEST_STEP = 0.02
"""Largest eta lam_1/N: corrections to the equations are about that fraction of the error."""
RELATIVE = 1e-3
"""How far two integrations may differ in eps, as a fraction of it; the one that is given is the finer one."""
SMALL_RELATIVE, ABSOLUTE = 0.1, 1e-8
"""The same where eps is so small that the rounding of the overlaps, which are of order one, shows in it."""
FEW = 256
"""Order parameters up to which a general stiff solver, whose Jacobian is dense, is the faster one."""
TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7)
GENERAL = (1e-9, 1e-11, 1e-13)
"""Relative tolerances of the general solver, one for each integration after the first."""


@dataclass(frozen=True)
class Curve:
    """A student in time; every array has shape (len(times),)."""

    error: Array
    """eps = <(teacher - student)^2>/2."""
    weight_norm: Array
    """|J|/sqrt(N)."""
    difference: Array
    """Of eps between the two integrations."""


def solve(model: Model, start: Overlaps, N: int, times: Sequence[float] | Array) -> Curve:
    """Return the curve of one student.

    Args:
        model: architecture, spectrum and learning rate.
        start: overlaps at alpha = 0.
        N: dimension, for which the equations' assumption is checked.
        times: alpha >= 0, in any order.

    Raises:
        InputError: eta lam_1/N is above LARGEST_STEP.
        NormlawError: two integrations differ too much, or the overlaps grow without bound; says where.

    """
    require_small_steps(model, N)
    wanted, place = np.unique(np.asarray(times, dtype=np.float64), return_inverse=True)
    flow = Flow(model, start.T)
    y = np.concatenate([start.R, start.Q], axis=2)

    def read(states: Array) -> tuple[Array, Array]:
        overlaps = [Overlaps(one[:, :, : model.M], one[:, :, model.M :], start.T) for one in states]
        errors = [
            ERRORS[model.activation](one.covariance(model.eigenvalues), model.amplitudes) for one in overlaps
        ]
        return np.array(errors), np.array([one.weight_norm for one in overlaps])

    few = y.size <= FEW
    ladder = TOLERANCES[1:] if few else TOLERANCES
    coarse, _ = read(integrate(flow, y, wanted, ladder[0]))
    for tolerance, relative in zip(ladder[1:], GENERAL, strict=False):
        general = general_solver(flow, y, wanted, relative) if few else None
        error, norm = read(integrate(flow, y, wanted, tolerance) if general is None else general)
        difference = np.abs(error - coarse)
        allowed = np.maximum(RELATIVE * error, np.minimum(SMALL_RELATIVE * error, ABSOLUTE))
        bad = ~(difference <= allowed + 1e-14)
        if not bad.any():
            return Curve(np.maximum(error, 0.0)[place], norm[place], difference[place])
        coarse = error
    raise NormlawError(
        f"two_layer: two integrations differ by {difference[bad][0]:.1e} in an error of {error[bad][0]:.3e} "
        f"at alpha = {wanted[bad][0]:g}; ask for smaller alpha"
    )


def general_solver(flow: Flow, start: Array, times: Array, relative: float) -> Array | None:
    """Return the states at the times by LSODA, or None where it gives up."""
    if times[-1] == 0.0:
        return np.broadcast_to(start, (len(times), *start.shape))

    def slope(_time: float, y: Array) -> Array:
        with np.errstate(all="ignore"):
            return flow.slope(y.reshape(start.shape)).ravel()

    found = solve_ivp(
        slope,
        (0.0, times[-1]),
        start.ravel(),
        method="LSODA",
        t_eval=times,
        rtol=relative,
        atol=1e-3 * relative,
    )
    if not found.success or not np.isfinite(found.y).all():
        return None
    return np.asarray(found.y.T.reshape(len(times), *start.shape))


def require_small_steps(model: Model, N: int) -> None:
    """Refuse where a single step changes the fields so much that the equations do not hold.

    Raises:
        InputError: eta lam_1/N is above LARGEST_STEP, or there are more eigenvalues than dimensions.

    """
    largest = float(model.eigenvalues.max())
    if len(model.eigenvalues) > N:
        raise InputError(
            f"two_layer: {len(model.eigenvalues)} distinct eigenvalues need at least as many dimensions, "
            f"got N = {N}"
        )
    step = model.eta * largest / N
    if step > LARGEST_STEP:
        raise InputError(
            f"two_layer: eta lambda_1/N = {step:.3g} is not small ({LARGEST_STEP:g} at most; lambda_1 = "
            f"{largest:.4g}): a single example would move the student too far for the equations to hold; take "
            f"a larger N, fewer eigenvalues or a smaller eta"
        )
