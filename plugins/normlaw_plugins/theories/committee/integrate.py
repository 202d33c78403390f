r"""Exponential Runge-Kutta integration: stiff eigenvalues do not bound the step.

At each step y' = A y + n(y), where A is the linear part with W_J as it is at the step's start: with the
eigenvectors V of W_J the entries of V^T R_e and V^T Q_e V decay at rates of their own, z = h A. Krogstad's
scheme of order four (J. Comput. Phys. 203, 2005), by differences D = n(U) - n(y):

    U2 = y + (h/2) phi1(z/2) y'                   U4 = y + h phi1(z) y' + 2 h phi2(z) D3
    U3 = y + (h/2) phi1(z/2) y' + h phi2(z/2) D2
    y+ = y + h phi1 y' + h (2 phi2 - 4 phi3) (D2 + D3) + h (4 phi3 - phi2) D4.

The step's length follows the difference from the scheme of order two, y + h phi1 y' + h phi2 D4. (That of D2
and D3 would be nearer to the error, but vanishes where h lam_e is large.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from normlaw_plugins.theories.committee.averages import Array
from normlaw_plugins.theories.committee.flow import Flow
from normlaw_registry import NormlawError

MOST_STEPS = 200_000
LARGEST = 1e8
"""Overlaps, in an eigenspace of the same number of dimensions, from which on they are said to diverge."""
SMALL = 0.1


def phis(z: Array) -> tuple[Array, Array, Array]:
    """Return phi1 = (e^z - 1)/z, phi2 = (phi1 - 1)/z and phi3 = (phi2 - 1/2)/z."""
    small = np.abs(z) < SMALL
    safe = np.where(small, 1.0, z)
    phi1 = np.expm1(safe) / safe
    phi2 = (phi1 - 1.0) / safe
    phi3 = (phi2 - 0.5) / safe
    if small.any():
        x = np.where(small, z, 0.0)
        series = np.full_like(x, 1.0 / 6227020800.0)  # phi3 = sum_k x^k/(k + 3)!
        for factorial in (
            479001600.0,
            39916800.0,
            3628800.0,
            362880.0,
            40320.0,
            5040.0,
            720.0,
            120.0,
            24.0,
            6.0,
        ):
            series = series * x + 1.0 / factorial
        third = series
        second = 0.5 + x * third
        phi1, phi2, phi3 = (
            np.where(small, 1.0 + x * second, phi1),
            np.where(small, second, phi2),
            np.where(small, third, phi3),
        )
    return phi1, phi2, phi3


def integrate(flow: Flow, start: Array, times: Sequence[float] | Array, tolerance: float) -> Array:
    """Return the states at increasing times >= 0, shape (len(times), *start.shape).

    Args:
        flow: the equations.
        start: y = (R_e | Q_e) at alpha = 0.
        times: alpha.
        tolerance: bound of the local difference in y/f_e at each step.

    Raises:
        NormlawError: more than MOST_STEPS steps, or overlaps that grow without bound; says where.

    """
    scale = flow.model.fractions[:, None, None]
    h, taken = 0.01 / float(flow.rate.max()), 0
    before, y = start, start
    since, here = 0.0, 0.0
    states = []
    for target in times:
        while here < target:
            with np.errstate(all="ignore"):
                new, difference = advance(flow, y, h)
                off = float(np.max(np.abs(difference) / (scale + np.abs(y)))) / tolerance
            taken += 1
            grown = float(np.max(np.abs(y) / scale)) > LARGEST
            if taken > MOST_STEPS or grown or h < 1e-12 * max(here, 1e-6):
                raise NormlawError(
                    f"two_layer: the equations cannot be followed beyond alpha = {here:.6g}: "
                    + ("too many steps" if taken > MOST_STEPS else "the overlaps grow without bound")
                    + "; ask for smaller alpha, or take a smaller learning rate"
                )
            if not np.isfinite(new).all() or not np.isfinite(off):
                h *= 0.2
                continue
            if off <= 1.0:
                before, y = y, new
                since, here = here, here + h
            h *= min(max(0.9 * max(off, 1e-6) ** (-1.0 / 3.0), 0.2), 3.0)
        # a step of its own from the last one before: what else is asked for changes nothing
        states.append(y if here == target else advance(flow, before, target - since)[0])
    return np.stack(states)


def advance(flow: Flow, y: Array, h: float) -> tuple[Array, Array]:
    """Return the state after a step h, and the difference that the step's length follows."""
    K, M = flow.model.K, flow.model.M
    averages = flow.at(y)
    mu, V = np.linalg.eigh(averages.response[:, :K])
    rates = np.concatenate([np.repeat(mu[:, None], M, axis=1), mu[:, None] + mu], axis=1)  # (K, M + K)
    z = h * flow.rate * rates
    half1, half2, _ = phis(0.5 * z)
    phi1, phi2, phi3 = phis(z)
    mixed = 2.0 * phi2 - 4.0 * phi3

    def turned(x: Array) -> Array:  # into the eigenvectors
        x = np.matmul(V.T, x)
        x[:, :, M:] = np.matmul(x[:, :, M:], V)
        return x

    def back(x: Array) -> Array:
        x = np.matmul(V, x)
        x[:, :, M:] = np.matmul(x[:, :, M:], V.T)
        return x

    linear = z / h
    first = turned(flow.with_averages(y, averages))

    def rest(shift: Array) -> Array:
        """Return h (n(y + shift) - n(y)), shift and result among the eigenvectors."""
        slope = turned(flow.slope(y + back(shift)))
        return np.asarray(h * (slope - first - linear * shift))

    shift2 = (0.5 * h) * half1 * first
    D2 = rest(shift2)
    D3 = rest(shift2 + half2 * D2)
    whole = h * phi1 * first
    D4 = rest(whole + 2.0 * phi2 * D3)
    bent = mixed * (D2 + D3 - D4)  # what a line through n at both ends leaves out
    return y + back(whole + phi2 * D4 + bent), back(bent)
