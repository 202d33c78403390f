"""Proximal maps of the losses: how far one example moves its own margin when it is learnt.

For a loss l(z) of the scaled margin z = lambda D, the shift is

    S(tau, c) = argmin_z [l(z) + (z - tau)^2 / (2 c)] - tau,    c = e^x,

and each loss returns S with its derivatives by tau and by x. Losses also name the corners of S as a
function of tau, and the width on which a corner is rounded off, so that an integral over tau can be cut
there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

LOG_4 = float(np.log(4.0))
FAR = 1e18
"""A corner further out than this lies outside every integral."""


@dataclass(frozen=True)
class Shift:
    """The proximal shift and its derivatives, each of the shape of `tau`."""

    value: Array
    """S."""
    by_tau: Array
    """dS/dtau."""
    by_log_c: Array
    """dS/dx, x = ln c."""


@dataclass(frozen=True)
class MarginLoss:
    """A loss of the scaled margin, seen through its proximal map."""

    name: str
    shift: Callable[[Array, Array], Shift]
    """(tau, x) -> S and derivatives; the shapes broadcast."""
    corners: Callable[[Array], list[Array]]
    """x -> corners of S in tau, each of the shape of x."""
    width: float
    """Scale in tau on which the corners are rounded; 0 when they are sharp."""
    decay: float
    """S vanishes to float64 beyond the last corner plus this; infinite if it does not vanish."""


def logistic_shift(tau: Array, log_c: Array) -> Shift:
    """Return the shift of l(z) = log(1 + e^(-2z)).

    S = e^y/2 where g(y) = y + softplus(2 tau + e^y) - ln 4c vanishes. g increases and is convex, so that
    Newton's method started at or right of the root falls onto it without overshooting; two bounds of the
    root, y <= L - softplus(T) and y <= ln max(1, L - T), give the start.
    """
    T, L = np.broadcast_arrays(2.0 * tau, LOG_4 + log_c)
    y = np.minimum(L - np.logaddexp(0.0, T), np.log(np.maximum(L - T, 1.0)))
    for _ in range(60):
        u = np.exp(y)
        z = T + u
        p = sigmoid(z)
        step = (y + softplus(z) - L) / (1.0 + p * u)
        y = y - step
        if float(np.max(np.abs(step), initial=0.0)) < 1e-10:  # the next one would be below rounding
            break
    u = np.exp(y)
    p = sigmoid(T + u)
    slope = 1.0 + p * u
    return Shift(value=0.5 * u, by_tau=-p * u / slope, by_log_c=0.5 * u / slope)


def logistic_corners(log_c: Array) -> list[Array]:
    """Return where the shift leaves its plateau 2c, and where it dies out; equal for small c."""
    L = LOG_4 + log_c
    plateau_end = -0.5 * (np.exp(np.minimum(L, np.log(FAR))) + np.maximum(L, 0.0))
    return [plateau_end, 0.5 * np.maximum(L, 0.0)]


def hinge_shift(tau: Array, log_c: Array) -> Shift:
    """Return the shift of l(z) = max(0, 1 - z): min(1 - tau, c) where that is positive."""
    tau, log_c = np.broadcast_arrays(tau, log_c)
    c = np.exp(np.minimum(log_c, np.log(FAR)))
    gap = 1.0 - tau
    plateau, ramp = gap > c, (gap > 0.0) & (gap <= c)
    return Shift(
        value=np.clip(gap, 0.0, c),
        by_tau=np.where(ramp, -1.0, 0.0),
        by_log_c=np.where(plateau, c, 0.0),
    )


def hinge_corners(log_c: Array) -> list[Array]:
    """Return the two kinks."""
    return [1.0 - np.exp(np.minimum(log_c, np.log(FAR))), np.ones_like(log_c)]


def square_shift(tau: Array, log_c: Array) -> Shift:
    """Return the shift of l(z) = (1 - z)^2/2: (1 - tau) c/(1 + c)."""
    tau, log_c = np.broadcast_arrays(tau, log_c)
    weight = sigmoid(log_c)
    return Shift(
        value=(1.0 - tau) * weight,
        by_tau=-weight,
        by_log_c=(1.0 - tau) * weight * sigmoid(-log_c),
    )


def softplus(z: Array) -> Array:
    """Return log(1 + e^z) without overflow."""
    return np.asarray(np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z))))


def sigmoid(z: Array) -> Array:
    """Return 1/(1 + e^-z) without overflow."""
    small = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0.0, 1.0, small) / (1.0 + small))


LOSSES: Mapping[str, MarginLoss] = MappingProxyType(
    {
        loss.name: loss
        for loss in (
            MarginLoss("logistic", logistic_shift, logistic_corners, width=1.0, decay=20.0),
            MarginLoss("hinge", hinge_shift, hinge_corners, width=0.0, decay=0.0),
            MarginLoss("square", square_shift, lambda log_c: [], width=0.0, decay=np.inf),
        )
    }
)
