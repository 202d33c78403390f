r"""The rules that the fixed-norm curve is compared with, each from its own fixed-point equation.

Every function takes a load alpha > 0 and returns a generalisation error theta/pi. Unknowns are angles (through
phi = ln tan theta), so that full relative precision is kept at large alpha, where 1 - R ~ alpha^-2. The
equations:

    Hebb's rule (lambda -> 0):        tan^2 theta = pi/(2 alpha)   (Vallet 1989).
    Maximum stability (lambda -> oo): equations (1), (2) of the package with Delta(t) = max(kappa - t, 0)
                                      (Opper, Kinzel, Kleinz, Nehl 1990).
    Gibbs learning:                   R/sqrt(1 - R) = (alpha/pi) Int Dt exp(-R t^2/2)/H(sqrt(R) t)
                                      (Gyorgyi, Tishby 1990).
    Bayes-optimal predictor:          the centre of mass of the version space, R_Bayes = sqrt(R_Gibbs)
                                      (Opper, Haussler 1991).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from normlaw_plugins.theories.replica.quadrature import TAIL, panels

LOG_SQRT_2PI = 0.5 * float(np.log(2.0 * np.pi))
DEEPEST = 40.0
"""Roots are sought over factors of e^DEEPEST in tan(theta)."""


def hebb(alpha: float) -> float:
    """Return the error of Hebb's rule, w ~ sum of y x."""
    return float(np.arctan(np.sqrt(np.pi / (2.0 * alpha))) / np.pi)


def gibbs(alpha: float) -> float:
    """Return the error of a student drawn at random from the version space."""
    sine = np.sin(np.pi * bayes_optimal(alpha))
    return float(2.0 * np.arcsin(sine / np.sqrt(2.0)) / np.pi)  # 1 - R_Gibbs = sin^2(theta_Bayes)


def bayes_optimal(alpha: float) -> float:
    """Return the least error that any student can have on average."""

    def imbalance(phi: float) -> float:
        sine, cosine = sine_and_cosine(phi)
        ln_integrand = version_space_pressure(cosine)
        return float(2.0 * np.log(cosine) - np.log(sine) - np.log(alpha / np.pi) - np.log(ln_integrand))

    return angle(imbalance, -DEEPEST, DEEPEST)


def version_space_pressure(root_overlap: float) -> float:
    """Return Int Dt exp(-r^2 t^2/2)/H(r t) for r = sqrt(R_Gibbs)."""
    t, weight = gaussian_nodes()
    r_t = root_overlap * t
    exponent = -0.5 * t * t - LOG_SQRT_2PI - 0.5 * r_t * r_t - log_ndtr(-r_t)
    return float(np.sum(weight * np.exp(exponent)))


def maximum_stability(alpha: float) -> float:
    """Return the error of the student of largest margin."""

    def imbalance(phi: float) -> float:
        sine, cosine = sine_and_cosine(phi)
        kappa = largest_margin(alpha, sine, cosine)
        start, end = np.array([-TAIL * sine]), np.array([min(max(kappa, 0.0), TAIL)])
        zero = np.zeros(1)
        t, weight = panels(start, end, [(zero, np.array([sine])), (zero, zero + 1.0)])
        density = np.exp(-0.5 * t * t - LOG_SQRT_2PI) * 2.0 * ndtr(t * cosine / sine)
        spread = float(np.sum(weight * density * (kappa - t) ** 2))
        return float(np.log(alpha * spread) - 2.0 * np.log(sine))

    at_zero_margin = float(np.log(np.pi / alpha))  # tan(theta) = pi/alpha <=> kappa = 0
    return angle(imbalance, at_zero_margin - DEEPEST, at_zero_margin)


def largest_margin(alpha: float, sine: float, cosine: float) -> float:
    """Return kappa >= 0 with alpha sqrt(2/pi) Int Du max(kappa - s u, 0) = R, for tan(theta) <= pi/alpha."""
    wanted = cosine / (alpha * np.sqrt(2.0 / np.pi))

    def excess(kappa: float) -> float:
        ratio = kappa / sine
        return float(kappa * ndtr(ratio) + sine * np.exp(-0.5 * ratio**2 - LOG_SQRT_2PI) - wanted)

    if excess(0.0) >= 0.0:
        return 0.0
    return float(brentq(excess, 0.0, wanted, xtol=1e-300, rtol=1e-15))


def stability(alpha: float) -> float:
    """Return the largest margin kappa_max itself, in units where |w|^2 = N."""
    sine, cosine = sine_and_cosine(float(np.log(np.tan(np.pi * maximum_stability(alpha)))))
    return largest_margin(alpha, sine, cosine)


def angle(imbalance: Callable[[float], float], low: float, high: float) -> float:
    """Return theta/pi at the root phi = ln tan(theta) between `low` and `high`."""
    phi = float(brentq(imbalance, low, high, xtol=1e-15, rtol=1e-15))
    return float(np.arctan(np.exp(phi)) / np.pi)


def sine_and_cosine(phi: float) -> tuple[float, float]:
    """Return sin and cos of arctan(e^phi), both to full relative precision."""
    return float(1.0 / np.sqrt(1.0 + np.exp(-2.0 * phi))), float(1.0 / np.sqrt(1.0 + np.exp(2.0 * phi)))


def gaussian_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights, each (m,), over the range where a Gaussian counts."""
    zero = np.zeros(1)
    t, weight = panels(zero - TAIL, zero + TAIL, [(zero, zero + 1.0)])
    return t[0], weight[0]
