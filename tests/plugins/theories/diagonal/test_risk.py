"""The exact risk against its equations by other means, its limits, and interpolators of random examples."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from normlaw_plugins.theories.diagonal import limits
from normlaw_plugins.theories.diagonal.dual import interpolator
from normlaw_plugins.theories.diagonal.fixed_point import solve

NOISE = sqrt(0.05)


def link(depth: int, s: float) -> float:
    if depth == 2:
        return 2.0 * float(np.sinh(s))
    p = depth / (depth - 2)
    return float((1 - s) ** -p - (1 + s) ** -p)


@pytest.mark.parametrize(
    ("depth", "scale", "delta", "noise"), [(2, 0.5, 0.3, NOISE), (2, 2.0, 0.6, 0.0), (3, 0.6, 0.5, NOISE)]
)
def test_both_equations_hold_by_adaptive_quadrature(depth, scale, delta, noise) -> None:
    """h(v) by a root in s for each v, in the plain variables; h' by Stein's lemma."""
    found = solve(depth, 0.1, noise, [delta], [scale])
    theta, tau, c = float(found.theta[0, 0]), float(found.tau[0, 0]), scale**depth
    bound = 30.0 if depth == 2 else 1.0 - 1e-9

    def h(v: float) -> float:
        s = brentq(lambda s: c * link(depth, s) + theta * s - v, -bound, bound, xtol=1e-15, rtol=1e-14)
        return v - theta * float(s)

    def mean(of: Callable[[float, float], float]) -> float:
        parts = (
            weight * quad(lambda z, b=b: of(b, z) * exp(-0.5 * z * z), -9, 9, epsabs=1e-11, limit=200)[0]
            for b, weight in ((0.0, 0.9), (sqrt(10.0), 0.1))
        )
        return float(sum(parts)) / sqrt(2 * pi)

    slope = mean(lambda b, z: z * h(b + tau * z) / tau)
    excess = mean(lambda b, z: (h(b + tau * z) - b) ** 2)
    assert slope == pytest.approx(delta, rel=1e-8)
    assert excess == pytest.approx(found.excess[0, 0], rel=1e-8)
    assert noise**2 + excess == pytest.approx(delta * tau**2, rel=1e-8)


@pytest.mark.parametrize(("depth", "coefficient", "digits"), [(2, -0.036458, 5e-7), (3, -0.0810, 5e-5)])
def test_the_kernel_regime_is_approached_as_a_power_of_the_scale(depth, coefficient, digits) -> None:
    """delta = 1/2, sigma^2 = 0.05, rho = 0.1: the coefficients of an independent solution."""
    scales = np.array([20.0, 30.0])
    gap = solve(depth, 0.1, NOISE, [0.5], scales).excess[0] - limits.least_l2(0.5, NOISE)
    assert gap * scales ** (2 * depth) == pytest.approx(coefficient, abs=digits)


@pytest.mark.slow
def test_depth_two_approaches_the_least_l1_norm_only_logarithmically() -> None:
    scales = [1e-4, 1e-64]
    gap = solve(2, 0.1, NOISE, [0.5], scales).excess[0] - limits.least_l1(0.5, 0.1, NOISE)
    assert gap * [-2 * log(scale) for scale in scales] == pytest.approx([0.1326, 0.0943], abs=5e-5)


def test_depth_three_approaches_it_linearly_and_from_below() -> None:
    scales = np.array([1e-3, 1e-4])
    gap = solve(3, 0.1, NOISE, [0.5], scales).excess[0] - limits.least_l1(0.5, 0.1, NOISE)
    assert gap[1] / scales[1] == pytest.approx(-0.0203, abs=5e-5)
    assert gap[0] / gap[1] == pytest.approx(10.0, rel=0.02)


@pytest.mark.slow
def test_the_recovery_transition() -> None:
    load = limits.recovery_load(0.1)
    assert load == pytest.approx(0.328793505, abs=5e-10)
    below, above = solve(3, 0.1, 0.0, [load - 0.02, load + 0.02], [1e-6]).excess[:, 0]
    assert below == pytest.approx(limits.least_l1(load - 0.02, 0.1, 0.0), rel=1e-4)
    assert limits.least_l1(load + 0.02, 0.1, 0.0) == 0.0
    assert 0.0 < above < 1e-25  # not lost in what float64 rounds: it falls as c^2
    assert solve(3, 0.1, 0.0, [load + 0.02], [1e-7]).excess[0, 0] / above == pytest.approx(1e-6, rel=1e-4)


def test_the_soft_threshold_by_adaptive_quadrature() -> None:
    for threshold, mean in ((1.3, 0.0), (0.7, 2.0), (2.5, 0.4)):
        value, _ = quad(
            lambda z, t=threshold, m=mean: (
                (np.sign(m + z) * max(abs(m + z) - t, 0.0) - m) ** 2 * exp(-0.5 * z * z)
            ),
            -12,
            12,
            points=[threshold - mean, -threshold - mean],
            epsabs=1e-12,
        )
        assert limits.soft_error(threshold, mean) == pytest.approx(value / sqrt(2 * pi), rel=1e-9)


@pytest.mark.slow
def test_with_noise_and_depth_three_a_finite_scale_is_best() -> None:
    scales = np.geomspace(1e-3, 3.0, 60)
    excess = solve(3, 0.1, NOISE, [0.5], scales).excess[0]
    assert 0.03 < scales[excess.argmin()] < 0.08
    assert excess.min() < min(excess[0], excess[-1], limits.least_l1(0.5, 0.1, NOISE))


def test_points_do_not_depend_on_what_else_is_asked_for() -> None:
    grid = solve(3, 0.2, 0.1, [0.2, 0.8], [3.0, 0.02, 0.3])
    alone = solve(3, 0.2, 0.1, [0.8], [0.02])
    assert grid.excess[1, 1] == pytest.approx(alone.excess[0, 0], rel=1e-11)
    assert grid.residual.max() < 1e-10


@pytest.mark.parametrize(("depth", "scale", "delta", "noise"), [(2, 0.3, 0.5, NOISE), (3, 0.5, 0.25, 0.0)])
@pytest.mark.slow
def test_random_examples_agree_within_four_standard_errors(depth, scale, delta, noise) -> None:
    """|beta - beta*|^2/d and |beta|^2/d of the dual solution at d = 300; corrections are of order 1/d."""
    d, rho = 300, 0.1
    rng = np.random.default_rng(3)
    found = []
    for _ in range(60):
        truth = rng.permutation(np.repeat([1.0, -1.0, 0.0], [15, 15, d - 30])) / sqrt(rho)
        inputs = rng.standard_normal((round(delta * d), d)) / sqrt(d)
        beta = interpolator(inputs, inputs @ truth + noise * rng.standard_normal(len(inputs)), depth, scale)
        found.append((np.mean((beta - truth) ** 2), np.mean(beta**2), np.mean(np.abs(beta))))
    exact = solve(depth, rho, noise, [delta], [scale])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / sqrt(len(found))
    expected = [exact.excess[0, 0], exact.second_moment[0, 0], exact.first_moment[0, 0]]
    assert (error < 0.02 * mean).all()  # or four of them would prove little
    assert (np.abs(mean - expected) < 4.0 * error).all()
