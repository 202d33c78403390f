"""The limit alpha -> infinity at fixed l = lambda/alpha, where theta = c/alpha.

With t = tau/alpha, D* = delta/alpha and chi = xi/alpha the Gaussian measure of the cavity margins becomes
flat, and the saddle point of `theories.replica` becomes, with Delta the shift at norm l,

    c^2 = sqrt(2/pi) Int dtau H(-tau/c) Delta(tau)^2,        1 = sqrt(2/pi) Int Du Delta(c u).

Hence alpha * error -> c/pi, a function of l alone. The limits below are of the same kind: one number each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq, root
from scipy.special import log_ndtr, ndtr

from normlaw_plugins.theories.replica.losses import LOSSES, Array
from normlaw_plugins.theories.replica.quadrature import TAIL, panels
from normlaw_registry import NormlawError

SQRT_2PI = float(np.sqrt(2.0 * np.pi))

EARLY_LAW = float(np.sqrt(np.sqrt(2.0 / np.pi) * (2.0 * np.log(2.0) - 1.0)))
"""k1 of error/error_0 = k1 lambda^(-1/2) for 1 << lambda << alpha, error_0 Hebb's: in (error/error_0)^2 =
2 Int_0^oo Dt (1 - tanh lambda t)^2 the Gaussian density is 1/sqrt(2 pi) on the scale of 1/lambda."""


def error_constant(ratio: float) -> float:
    """Return lim alpha * error at lambda = ratio * alpha, logistic loss, for ratio in [0.05, 50].

    Raises:
        NormlawError: not solved to 1e-12.

    """
    start = [np.log(ratio), -np.log(2.0 + ratio) / 2.0 + 1.0]
    x, log_c = solved(lambda unknowns: system(ratio, *unknowns)[:2], start, f"lambda/alpha = {ratio:g}")
    del x
    return float(np.exp(log_c) / np.pi)


def optimum() -> tuple[float, float]:
    """Return lim lambda_opt/alpha and lim alpha * error at the optimum, logistic loss.

    The third equation says that theta is stationary: d(equations)/dln(l) is parallel to d(equations)/dx.

    Raises:
        NormlawError: not solved to 1e-12.

    """
    _, log_c, log_ratio = solved(
        lambda unknowns: system(float(np.exp(unknowns[2])), unknowns[0], unknowns[1]),
        [0.3, 0.3, 0.0],
        "optimum",
    )
    return float(np.exp(log_ratio)), float(np.exp(log_c) / np.pi)


def system(ratio: float, x: float, log_c: float) -> Array:
    """Return the two equations in logarithms, and the condition that theta is stationary in l; shape (3,)."""
    loss, c = LOSSES["logistic"], float(np.exp(log_c))
    corners = [corner / ratio for corner in loss.corners(np.array([x]))]
    zero, width = np.zeros(1), np.array([1.0 / ratio])
    end = corners[-1] + loss.decay / ratio
    places = [(zero, zero + c), *((corner, width) for corner in corners)]
    tau, weight = (row[0] for row in panels(zero - TAIL * c, end, places))

    shift = loss.shift(ratio * tau, np.array([x]))
    D, D_x = shift.value / ratio, shift.by_log_c / ratio
    D_l = tau * shift.by_tau - D
    flat = weight * np.sqrt(2.0 / np.pi) * ndtr(tau / c)
    narrow = weight * np.exp(-0.5 * (tau / c) ** 2) / (SQRT_2PI * c)
    A, B = np.sum(flat * D * D), np.sum(narrow * D)
    A_x, B_x = 2.0 * np.sum(flat * D * D_x) / A, np.sum(narrow * D_x) / B
    A_l, B_l = 2.0 * np.sum(flat * D * D_l) / A, np.sum(narrow * D_l) / B
    return np.array([np.log(A) - 2.0 * log_c, np.log(np.sqrt(2.0 / np.pi) * B), A_l * B_x - B_l * A_x])


def solved(equations: Callable[[Array], Array], start: list[float], what: str) -> Array:
    """Return the root of `equations` near `start`."""
    found = root(equations, start, method="hybr", options={"xtol": 1e-14})
    if float(np.abs(found.fun).max()) > 1e-12:
        raise NormlawError(f"scaling limit, {what}: residual {float(np.abs(found.fun).max()):.1e} above 1e-12")
    return np.asarray(found.x)


def bayes_constant() -> float:
    """Return lim alpha * error of the Bayes-optimal predictor: 1/Int Dt exp(-t^2/2)/H(t)."""
    pressure, _ = quad(
        lambda t: np.exp(-t * t - log_ndtr(-t)) / SQRT_2PI, -np.inf, np.inf, epsabs=0.0, epsrel=1e-12
    )
    return float(1.0 / pressure)


def gibbs_constant() -> float:
    """Return lim alpha * error of Gibbs learning: sqrt(2) times the Bayes-optimal one."""
    return float(np.sqrt(2.0)) * bayes_constant()


def maximum_stability_constant() -> float:
    """Return lim alpha * error of maximum stability.

    With r = kappa/c the second equation gives c = sqrt(pi/2)/(r Phi(r) + G(r)), the first an equation for r
    alone.
    """

    def scale(r: float) -> float:
        return float(np.sqrt(np.pi / 2.0) / (r * ndtr(r) + np.exp(-0.5 * r * r) / SQRT_2PI))

    def imbalance(r: float) -> float:
        spread, _ = quad(lambda v: ndtr(v) * (r - v) ** 2, -np.inf, r, epsabs=0.0, epsrel=1e-12)
        return float(np.sqrt(2.0 / np.pi) * scale(r) * spread - 1.0)

    return scale(float(brentq(imbalance, 0.0, 20.0, xtol=1e-14))) / float(np.pi)
