r"""The ends of the initial scale: least l2 norm (a -> infinity) and least l1 norm (a -> 0), entries of Var 1.

l2:  h(v) = delta v, so that mse = (1 - delta) + delta sigma^2/(1 - delta).
l1:  h(v) = sign(v) max(|v| - theta, 0): basis pursuit. P(|beta* + tau Z| > theta) = delta, moments by erf.
l1 without noise recovers beta* exactly above a load, the transition of Donoho, Maleki, Montanari (2009,
arXiv 0907.3574): delta > min_t { rho (1 + t^2) + 2 (1 - rho) [(1 + t^2) Phi(-t) - t phi(t)] }.
"""

from __future__ import annotations

from math import exp, log, pi, sqrt

from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtr

from normlaw_registry import NormlawError

WIDEST = 40.0
"""Thresholds theta/tau are sought up to this many standard deviations beyond the largest |beta*|/tau."""
DEEPEST = 200.0
"""Roots in ln tau are sought down to e^-DEEPEST of the start."""


def density(x: float) -> float:
    """Return the normal density."""
    return exp(-0.5 * x * x) / sqrt(2.0 * pi)


def least_l2(delta: float, noise: float) -> float:
    """Return the excess error of the interpolator of least l2 norm."""
    return (1.0 - delta) + delta * noise**2 / (1.0 - delta)


def recovery_load(sparsity: float) -> float:
    """Return the load above which the least l1 norm recovers beta* exactly, without noise."""

    def needed(t: float) -> float:
        return sparsity * (1.0 + t * t) + 2.0 * (1.0 - sparsity) * soft_moment(t)

    found = minimize_scalar(needed, bounds=(0.0, 40.0), method="bounded", options={"xatol": 1e-12})
    return min(1.0, float(found.fun))


def soft_moment(t: float) -> float:
    """Return E max(Z - t, 0)^2."""
    return float((1.0 + t * t) * ndtr(-t) - t * density(t))


def kept(threshold: float, mean: float) -> float:
    """Return P(|mean + Z| > threshold)."""
    return float(ndtr(mean - threshold) + ndtr(-mean - threshold))


def soft_error(threshold: float, mean: float) -> float:
    """Return E (soft(mean + Z) - mean)^2 with the soft threshold, in units of tau^2."""
    low, high = -threshold - mean, threshold - mean  # Z between them is set to zero
    middle = float(ndtr(high) - ndtr(low)) * mean**2
    # above: (Z - threshold)^2; below: (Z + threshold)^2; both by E Z^2, E Z over a half line
    above = (1.0 + threshold**2) * float(ndtr(-high)) + (high - 2.0 * threshold) * density(high)
    below = (1.0 + threshold**2) * float(ndtr(low)) - (low + 2.0 * threshold) * density(low)
    return middle + above + below


def least_l1(delta: float, sparsity: float, noise: float) -> float:
    """Return the excess error of the interpolator of least l1 norm; 0 where it recovers beta* exactly.

    Raises:
        NormlawError: no solution between the smallest and the largest tau.

    """
    if noise == 0.0 and delta > recovery_load(sparsity):
        return 0.0
    size = 1.0 / sqrt(sparsity)

    def excess(log_tau: float) -> float:  # in units of tau^2
        mean = size * exp(-log_tau)

        def surplus(threshold: float) -> float:
            zeros, rest = kept(threshold, 0.0), kept(threshold, mean)
            return (1.0 - sparsity) * zeros + sparsity * rest - delta

        threshold = float(brentq(surplus, 0.0, mean + WIDEST, xtol=1e-14, rtol=1e-14))
        zeros, rest = soft_error(threshold, 0.0), soft_error(threshold, mean)
        return (1.0 - sparsity) * zeros + sparsity * rest

    def imbalance(log_tau: float) -> float:
        return excess(log_tau) + noise**2 * exp(-2.0 * log_tau) - delta

    top = 0.5 * log(4.0 * (noise**2 + 1.0) / (delta * (1.0 - delta)))
    high = top
    while imbalance(high) > 0.0:
        high += 0.5
        if high > top + DEEPEST:
            raise NormlawError(f"no solution for the least l1 norm at delta = {delta:g}; leave it out")
    low = high - 0.05
    while imbalance(low) < 0.0:
        low -= 0.05
        if low < high - DEEPEST:
            raise NormlawError(f"no solution for the least l1 norm at delta = {delta:g}; leave it out")
    log_tau = float(brentq(imbalance, low, low + 0.05, xtol=1e-14, rtol=1e-14))
    return exp(2.0 * log_tau) * excess(log_tau)
