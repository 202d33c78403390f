"""The rules at the ends of the curve: their fixed points, their order, and how the curve approaches them."""

from __future__ import annotations

from math import acos, cos, pi, sin, sqrt, tan

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr
from scipy.stats import norm as gaussian

from normlaw_plugins.theories.replica import limits
from normlaw_plugins.theories.replica.losses import LOSSES
from normlaw_plugins.theories.replica.optimum import least_error
from normlaw_plugins.theories.replica.saddle_point import solve
from normlaw_tests import scaling_limit

LOGISTIC = LOSSES["logistic"]


def test_hebb_is_the_overlap_of_the_closed_form() -> None:
    for alpha in (0.1, 2.0, 1e3):
        assert limits.hebb(alpha) == pytest.approx(acos(sqrt(2 * alpha / (2 * alpha + pi))) / pi, rel=1e-11)


@pytest.mark.parametrize("alpha", [0.1, 2.0, 1e4])
def test_hebb_is_approached_linearly_in_the_norm(alpha: float) -> None:
    norms = [2e-4, 4e-4, 8e-4]
    gaps = limits.hebb(alpha) - solve(LOGISTIC, [alpha], norms).error[0]
    assert (gaps > 0.0).all()
    assert gaps[1:] / gaps[:-1] == pytest.approx(2.0, rel=2e-3)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 8.0])
def test_maximum_stability_is_approached_for_norms_far_above_the_load(alpha: float) -> None:
    errors = solve(LOGISTIC, [alpha], [2.5e3, 5e3, 1e4]).error[0]
    gaps = limits.maximum_stability(alpha) - errors
    assert (gaps > 0.0).all()
    assert gaps[2] / errors[2] < 5e-4 * max(alpha, 1.0)
    assert gaps[1:] / gaps[:-1] == pytest.approx(0.5, rel=0.02)


def test_far_below_the_load_maximum_stability_is_not_reached() -> None:
    error = solve(LOGISTIC, [256.0], [1000.0]).error[0, 0]
    assert 1.0 - error / limits.maximum_stability(256.0) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 50.0])
def test_maximum_stability_solves_its_equations_by_adaptive_quadrature(alpha: float) -> None:
    theta, kappa = pi * limits.maximum_stability(alpha), limits.stability(alpha)
    s, R = sin(theta), cos(theta)
    second, _ = quad(
        lambda u: gaussian.pdf(u) * (kappa - s * u), -np.inf, kappa / s, epsabs=1e-14, epsrel=1e-12
    )
    first, _ = quad(
        lambda t: 2 * gaussian.pdf(t) * ndtr(t / tan(theta)) * (kappa - t) ** 2,
        -10 * s,
        kappa,
        points=[-s, 0.0],
        epsabs=1e-16,
        epsrel=1e-12,
    )
    assert alpha * sqrt(2 / pi) * second == pytest.approx(R, rel=1e-10)
    assert alpha * first == pytest.approx(s * s, rel=1e-10)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 50.0, 1e4])
def test_gibbs_learning_solves_the_equation_of_gyorgyi_and_tishby(alpha: float) -> None:
    R, gap = cos(pi * limits.gibbs(alpha)), 2 * sin(pi * limits.gibbs(alpha) / 2) ** 2  # gap = 1 - R
    integral, _ = quad(
        lambda t: gaussian.pdf(t) * np.exp(-0.5 * R * t * t - log_ndtr(-sqrt(R) * t)),
        -12,
        12,
        epsabs=0,
        epsrel=1e-12,
    )
    assert R / sqrt(gap) == pytest.approx(alpha / pi * integral, rel=1e-10)
    assert cos(pi * limits.bayes_optimal(alpha)) == pytest.approx(sqrt(R), rel=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 2.0, 30.0, 256.0])
def test_no_rule_beats_bayes_and_none_on_the_curve_beats_the_optimum(alpha: float) -> None:
    best = least_error(LOGISTIC, alpha)
    others = [limits.hebb(alpha), limits.maximum_stability(alpha)]
    assert limits.bayes_optimal(alpha) < best.error < min(others)
    assert limits.bayes_optimal(alpha) < limits.gibbs(alpha)
    around = solve(LOGISTIC, [alpha], [best.norm * 0.999, best.norm, best.norm * 1.001])
    assert around.error[0, 1] == pytest.approx(best.error, rel=1e-12)
    assert (around.error[0, [0, 2]] > best.error).all()
    assert around.d_phi[0, 1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("alpha", "gap", "digits"), [(0.5, 3.6e-5, 0.05e-5), (2.0, 3.0e-4, 0.05e-4), (1e4, 6.3e-4, 0.05e-4)]
)
def test_the_least_error_is_above_the_bayes_optimal_one(alpha: float, gap: float, digits: float) -> None:
    """An independent solution's numbers, to all the digits it was given with."""
    relative = least_error(LOGISTIC, alpha).error / limits.bayes_optimal(alpha) - 1.0
    assert abs(relative - gap) <= digits


def test_the_scaling_limit_is_the_large_alpha_end_of_the_curve() -> None:
    """Corrections are of relative order alpha^-2, as the next order of the Gaussian measure is even in t."""
    best, alpha = least_error(LOGISTIC, 1e4), 1e4
    ratio, constant = scaling_limit.optimum()
    assert alpha * best.error == pytest.approx(constant, rel=1e-7)
    assert best.norm / alpha == pytest.approx(ratio, rel=1e-7)
    assert alpha * limits.bayes_optimal(alpha) == pytest.approx(scaling_limit.bayes_constant(), rel=1e-7)
    assert alpha * limits.gibbs(alpha) == pytest.approx(scaling_limit.gibbs_constant(), rel=1e-7)
    assert alpha * limits.maximum_stability(alpha) == pytest.approx(
        scaling_limit.maximum_stability_constant(), rel=1e-7
    )
    for ratio in (0.1, 1.0):
        finite = alpha * float(solve(LOGISTIC, [alpha], [ratio * alpha]).error[0, 0])
        assert finite == pytest.approx(scaling_limit.error_constant(ratio), rel=2e-6)


def test_the_constants_of_the_scaling_limit() -> None:
    """An independent solution's six digits (maximum stability and Bayes: five)."""
    ratio, constant = scaling_limit.optimum()
    assert constant == pytest.approx(0.441978, abs=5e-7)
    assert ratio == pytest.approx(0.883585, abs=5e-7)
    assert scaling_limit.bayes_constant() == pytest.approx(0.44170, abs=5e-6)
    assert scaling_limit.maximum_stability_constant() == pytest.approx(0.50049, abs=5e-6)
    assert pytest.approx(0.555174, abs=5e-7) == scaling_limit.EARLY_LAW
    assert constant / scaling_limit.bayes_constant() - 1 == pytest.approx(6.3e-4, abs=0.05e-4)


def test_the_early_law_lies_between_one_and_the_load() -> None:
    """For alpha -> infinity (error/error_0)^2 = 2 Int_0^oo Dt (1 - tanh lambda t)^2, here at alpha = 10^4."""
    alpha = 1e4
    for norm in (0.1, 1.0, 3.0):
        exact, _ = quad(lambda t, k=norm: 2 * gaussian.pdf(t) * (1 - np.tanh(k * t)) ** 2, 0, 12, epsabs=0)
        error = float(solve(LOGISTIC, [alpha], [norm]).error[0, 0])
        assert error / limits.hebb(alpha) == pytest.approx(sqrt(exact), rel=3e-3)
    wide, _ = quad(lambda t: 2 * gaussian.pdf(t) * (1 - np.tanh(1e3 * t)) ** 2, 0, 0.1, epsabs=0, limit=200)
    assert sqrt(wide * 1e3) == pytest.approx(scaling_limit.EARLY_LAW, rel=1e-5)
