"""The saddle point against independent arithmetic: another variable, another quadrature, 30 digits."""

from __future__ import annotations

from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest

from normlaw_plugins.theories.replica.equations import evaluate
from normlaw_plugins.theories.replica.losses import LOSSES
from normlaw_plugins.theories.replica.saddle_point import RESIDUAL_BOUND, Solution, solve

LOGISTIC = LOSSES["logistic"]
ALPHAS = np.geomspace(0.1, 1e4, 11)
NORMS = np.geomspace(1e-4, 1e4, 49)


@pytest.fixture(scope="module")
def grid() -> Solution:
    """The whole range that the component promises."""
    return solve(LOGISTIC, ALPHAS, NORMS)


def precise_residuals(alpha: float, norm: float, log_c: float, phi: float) -> tuple[float, float]:
    """Return both residuals, integrated over the learnt margin D, in which nothing is implicit.

    The cavity margin is t = D - Delta with Delta = 2 chi/(1 + e^(2 lambda D)), which needs no root.
    """
    with mp.workdps(30):
        alpha, norm, log_c, phi = map(mp.mpf, (alpha, norm, log_c, phi))
        chi, q = mp.exp(log_c) / norm, mp.exp(phi)
        s, R = q / mp.sqrt(1 + q * q), 1 / mp.sqrt(1 + q * q)

        def delta(D):
            return 2 * chi / (1 + mp.exp(2 * norm * D))

        def dt(D):
            return 1 + 2 * norm * delta(D) / (1 + mp.exp(-2 * norm * D))

        def learnt(t):
            low, high = t, t + 2 * chi
            if chi > 1:
                high = min(high, max(t, 0) + mp.log(2 * chi) / (2 * norm) + 1)
            for _ in range(25):  # rough is enough: these are only ends of panels
                middle = (low + high) / 2
                low, high = (middle, high) if middle - delta(middle) < t else (low, middle)
            return low

        places = [k * s for k in (-7, -5, -3, -2, -1, 0, 1, 2, 3, 5, 7)] + [mp.mpf(k) for k in (1, 2, 4, 7)]
        log_4c = max(log_c + mp.log(4), 0)
        for corner in (log_4c / (2 * norm), -2 * chi - log_4c / (2 * norm)):
            places += [corner] + [corner + sign * 2**k / norm for k in range(15) for sign in (-1, 1)]

        def integral(density, low, high):
            cuts = sorted({low, high, *(t for t in places if low < t < high)})
            ends = [learnt(t) for t in cuts]
            return mp.fsum(
                mp.quad(
                    lambda D: density(D - delta(D), delta(D)) * dt(D),
                    [a, b],
                    method="gauss-legendre",
                    maxdegree=4,
                )
                for a, b in pairwise(ends)
                if a < b
            )

        A = integral(lambda t, d: mp.npdf(t) * mp.erfc(-t / (q * mp.sqrt(2))) * d * d, -10 * s, mp.mpf(11))
        B = integral(lambda t, d: mp.npdf(t / s) / s * d, -10 * s, 10 * s)
        return float(alpha * A / s**2 - 1), float(alpha * mp.sqrt(2 / mp.pi) * B / R - 1)


@pytest.mark.parametrize(
    ("alpha", "norm"),
    [(0.1, 1e-4), (0.1, 30.0), (0.1, 1e4), (2.0, 1.0), (2.0, 1e4), (1e4, 1e-4), (1e4, 30.0), (1e4, 1e4)],
)
def test_residuals_vanish_in_another_variable_and_quadrature(alpha: float, norm: float) -> None:
    found = solve(LOGISTIC, [alpha], [norm])
    residuals = precise_residuals(alpha, norm, float(found.log_c[0, 0]), float(found.phi[0, 0]))
    assert np.abs(residuals).max() < 1e-11


def test_the_independent_residual_sees_a_wrong_solution() -> None:
    found = solve(LOGISTIC, [2.0], [1.0])
    residuals = precise_residuals(2.0, 1.0, float(found.log_c[0, 0]), float(found.phi[0, 0]) + 1e-9)
    assert np.abs(residuals).max() > 1e-10


def test_every_point_of_the_range_is_solved_to_the_bound(grid: Solution) -> None:
    assert float(grid.residual.max()) < RESIDUAL_BOUND
    assert np.isfinite(grid.log_c).all()
    assert float(grid.log_c.max()) > 5e4  # chi itself could not be held in float64


def test_more_data_never_hurts(grid: Solution) -> None:
    assert (np.diff(grid.phi, axis=0) < 0.0).all()


def test_the_error_falls_and_then_rises_with_the_norm(grid: Solution) -> None:
    rises = np.diff(grid.phi, axis=1) > 0.0
    turns = np.diff(rises.astype(int), axis=1)
    assert ((turns == 1).sum(axis=1) <= 1).all()
    assert not (turns == -1).any()
    assert not rises[:, 0].any()


def test_the_tangent_is_the_derivative_along_the_curve(grid: Solution) -> None:
    h = 1e-5
    for i, j in [(0, 20), (5, 30), (10, 45)]:
        low, high = NORMS[j] * np.exp(-h), NORMS[j] * np.exp(h)
        near = solve(LOGISTIC, [ALPHAS[i]], [low, high]).phi[0]
        assert grid.d_phi[i, j] == pytest.approx((near[1] - near[0]) / (2 * h), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(("alpha", "norm"), [(0.1, 1e-4), (0.1, 1e4), (2.0, 3.0), (300.0, 0.01), (1e4, 9e3)])
def test_there_is_one_root(alpha: float, norm: float) -> None:
    """For every angle (2) has one x; along that line (1) changes its sign once, at the solution."""
    found = solve(LOGISTIC, [alpha], [norm])
    phi = float(found.phi[0, 0]) + np.concatenate([np.linspace(-6.0, -0.01, 8), np.linspace(0.01, 6.0, 8)])
    low = np.full_like(phi, -60.0)
    high = np.full_like(phi, 2.0 * norm * 100.0 + 60.0)
    load, norms = np.full_like(phi, alpha), np.full_like(phi, norm)
    for _ in range(60):
        x = 0.5 * (low + high)
        above = evaluate(LOGISTIC, load, norms, x, phi).residual[:, 1] > 0.0
        low, high = np.where(above, low, x), np.where(above, x, high)
    first = evaluate(LOGISTIC, load, norms, 0.5 * (low + high), phi).residual[:, 0]
    assert (first[:8] > 0.0).all()
    assert (first[8:] < 0.0).all()


@pytest.mark.parametrize("name", ["logistic", "hinge", "square"])
def test_the_jacobian_is_that_of_the_residual(name: str) -> None:
    alpha, norm, x, phi = np.array([3.0]), np.array([0.7]), np.array([0.4]), np.array([-0.5])
    state, h = evaluate(LOSSES[name], alpha, norm, x, phi), 1e-6

    def residual(dx: float, dphi: float, dlog: float) -> np.ndarray:
        return evaluate(LOSSES[name], alpha, norm * np.exp(dlog), x + dx, phi + dphi).residual[0]

    for step, analytic in [
        ((h, 0.0, 0.0), state.jacobian[0, :, 0]),
        ((0.0, h, 0.0), state.jacobian[0, :, 1]),
        ((0.0, 0.0, h), state.by_log_norm[0]),
    ]:
        numeric = (residual(*step) - residual(*(-part for part in step))) / (2 * h)
        assert analytic == pytest.approx(numeric, rel=1e-7, abs=1e-8)


def test_a_point_does_not_depend_on_the_points_around_it(grid: Solution) -> None:
    alone = solve(LOGISTIC, [ALPHAS[6]], [NORMS[40]])
    shuffled = solve(LOGISTIC, [ALPHAS[6]] * 70, [NORMS[40], NORMS[3], NORMS[40]])
    assert alone.phi[0, 0] == pytest.approx(grid.phi[6, 40], abs=1e-11)
    assert shuffled.phi.shape == (70, 3)
    assert shuffled.phi[69, [0, 2]] == pytest.approx(grid.phi[6, 40], abs=1e-11)
    assert shuffled.phi[0, 1] == pytest.approx(grid.phi[6, 3], abs=1e-11)
