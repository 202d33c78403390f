"""Contours of the inverse Laplace transform: where it is evaluated, and with which weights."""

from __future__ import annotations

from math import ceil, log, log1p

import numpy as np
from numpy.typing import NDArray

from normlaw_plugins.theories.features.roots import Complex
from normlaw_registry import InputError

NODES = 28
"""Of a whole contour: the error is about 1e-12 of the value at the scale 1/t; more lose digits to round-off."""
FEWER = 24
"""A second contour, whose answer tells how far the first one's can be trusted."""
FEW_STEPS = 60
"""Discrete steps up to which the contour is a circle about the spectrum."""
FEWEST_STEPS = 12
"""Terms of a series up to which its contour is a circle: Talbot's would leave the strip of one period."""


def talbot(times: NDArray[np.float64], nodes: int = NODES, shift: float = 0.0) -> tuple[Complex, Complex]:
    """Return s and the weights e^{st} ds/(2 pi i) of the upper half of Talbot's contour, each (times, nodes/2).

    Dingfelder and Weideman 2015 (Numer. Algorithms 68, 167): all singularities on the real axis, up to `shift`.
    """
    theta = (2.0 * np.arange(nodes // 2) + 1.0) * np.pi / nodes
    cot = 1.0 / np.tan(0.6407 * theta)
    curve = (nodes * (0.5017 * theta * cot - 0.6122 + 0.2645j * theta)).astype(np.complex128)
    slope = nodes * (0.5017 * cot - 0.5017 * 0.6407 * theta * (1.0 + cot * cot) + 0.2645j)
    t = times[:, None]
    return curve / t + shift, np.exp(curve + shift * t) * slope / (1j * nodes) / t


def stepped(
    steps: NDArray[np.float64], rate: float, edge: float, nodes: int = NODES, shift: float = 0.0
) -> tuple[Complex, Complex]:
    """Return z and weights (1 + rate z)^n dz/(2 pi i) of many steps n: Talbot's contour in ln(1 + rate z)/rate.

    Raises:
        InputError: the spectrum's upper edge is so far above 1/rate that its alternating part has not died out.

    """
    far = rate * edge - 1.0
    if far > 0.0 and (far >= 1.0 or float(steps.min()) * -log(far) < 37.0):
        raise InputError(
            f"random_features: learning_rate = {rate:g} times the kernel's largest eigenvalue {edge:.4g} is "
            f"above 1, and after {float(steps.min()):g} steps its alternating part still counts: ask for up to "
            f"{FEW_STEPS} steps, many more, or a lower rate"
        )
    s, weights = talbot(steps * rate, nodes, shift)
    return np.asarray(np.expm1(rate * s) / rate, dtype=np.complex128), weights * np.exp(rate * s)


def circle(steps: NDArray[np.float64], rate: float, edge: float) -> tuple[Complex, Complex]:
    """Return the same for few steps, on a circle about the spectrum, 1 - rate x for 0 <= x <= edge."""
    half = rate * edge / 2.0
    gap = min(3.0 / float(max(steps.max(), 1.0)), 4.0 * half)
    nodes = ceil(17.0 / log1p(gap / half))
    turn = np.exp(1j * np.pi * (np.arange(nodes) + 0.5) / nodes)
    from_one = (half + gap) * turn - half  # w - 1
    weights = (1.0 + from_one) ** steps[:, None] * ((half + gap) * turn) / (2.0 * nodes * rate)
    return np.broadcast_to(from_one / rate, weights.shape).copy(), weights


def series(count: float, rate: float, edge: float, nodes: int = NODES) -> tuple[Complex, Complex]:
    """Return s and weights e^{sn} ds/(2 pi i), each (n,), of the coefficient of x^n of a function of x = e^-s.

    Its singularities are real, at x >= 1 or, where rate times edge is above 1, at x < -1 too: those only a
    circle contains. The upper half is given, the real part of which is taken twice.

    Raises:
        InputError: there are too many steps for a circle, and too few for what alternates to have died out.

    """
    far = rate * edge - 1.0
    alternates = far > 0.0 and (far >= 1.0 or count * -log(far) < 37.0)
    if alternates and count > FEW_STEPS:
        raise InputError(
            f"random_features: learning_rate = {rate:g} times the kernel's largest eigenvalue {edge:.4g} is "
            f"above 1, and after {count:g} steps its alternating part still counts: ask for up to {FEW_STEPS} "
            "steps, many more, or a lower rate"
        )
    if count > FEWEST_STEPS and not alternates:
        s, weights = talbot(np.array([count]), nodes)
        return s[0], weights[0]
    around = 16 * ceil(count + 1.0) * (2 if nodes == NODES else 3)
    angle = (2.0 * np.arange(around // 2) + 1.0) * np.pi / around
    round_zero = np.asarray(34.0 / around + 1j * angle, dtype=np.complex128)
    return round_zero, np.asarray(np.exp(count * round_zero) / around, dtype=np.complex128)
