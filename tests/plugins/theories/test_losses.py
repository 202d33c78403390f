"""Proximal maps against their definition, and the square and hinge losses against closed forms."""

from __future__ import annotations

from math import cos, exp, log, pi, sin, sqrt, tan

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import norm as gaussian

from normlaw_plugins.theories.replica import limits
from normlaw_plugins.theories.replica.domain import largest_norm
from normlaw_plugins.theories.replica.losses import LOSSES
from normlaw_plugins.theories.replica.saddle_point import solve


@pytest.mark.parametrize("tau", [-2e5, -2e3, -3.7, -0.2, 0.0, 0.8, 40.0, 5e3])
@pytest.mark.parametrize("log_c", [-20.0, -1.0, 0.5, 6.0, 80.0, 6e4])
def test_the_logistic_shift_makes_its_gradient_vanish(tau: float, log_c: float) -> None:
    """z - tau = c 2/(1 + e^(2z)), in its logarithm and with 40 digits: c itself reaches e^60000."""
    found = LOSSES["logistic"].shift(np.array([tau]), np.array([log_c]))
    with mp.workdps(40):
        shift = mp.mpf(float(found.value[0]))
        if shift == 0:
            assert log_c - 2 * tau < -700
            return
        imbalance = mp.log(shift) + mp.log(1 + mp.exp(2 * (tau + shift))) - mp.log(2) - mp.mpf(log_c)
        sensitivity = 1 + 2 * shift  # of the imbalance to a relative change of the shift, at most
        scale = 1 + abs(log_c) + 2 * abs(tau)
        assert abs(imbalance) < 1e-14 * float(sensitivity) + 1e-15 * scale


@pytest.mark.parametrize("name", ["logistic", "hinge", "square"])
def test_the_shift_is_the_minimiser_and_its_slopes_are_its_own(name: str) -> None:
    value = {
        "logistic": lambda z: np.logaddexp(0.0, -2.0 * z),
        "hinge": lambda z: np.maximum(0.0, 1.0 - z),
        "square": lambda z: 0.5 * (1.0 - z) ** 2,
    }[name]
    shift, z, h = LOSSES[name].shift, np.linspace(-8.0, 8.0, 1_600_001), 1e-6
    for tau, c in [(-3.1, 0.4), (-0.3, 2.0), (0.35, 2.0), (0.97, 0.1), (1.7, 3.0)]:
        lowest = z[np.argmin(value(z) + (z - tau) ** 2 / (2 * c))]
        at = shift(np.array([tau]), np.array([log(c)]))
        assert tau + at.value[0] == pytest.approx(lowest, abs=2e-5)
        up, down = (shift(np.array([tau + d]), np.array([log(c)])).value[0] for d in (h, -h))
        assert at.by_tau[0] == pytest.approx((up - down) / (2 * h), abs=1e-7)
        up, down = (shift(np.array([tau]), np.array([log(c) + d])).value[0] for d in (h, -h))
        assert at.by_log_c[0] == pytest.approx((up - down) / (2 * h), abs=1e-7)


@pytest.mark.parametrize("alpha", [0.3, 0.9, 1.0, 2.0, 1e4])
def test_the_square_loss_has_a_closed_form(alpha: float) -> None:
    """Delta is linear in t, so that both integrals are moments: one cubic for R."""
    top = min(largest_norm("square", alpha) * 0.999, 1e4)
    norms = np.geomspace(1e-4, top, 15)
    found = solve(LOSSES["square"], [alpha], norms)
    for norm, overlap in zip(norms, found.overlap[0], strict=True):

        def imbalance(R: float, k: float = norm) -> float:
            return pi * R * R / (2 * alpha) * (1 + k * k - 2 * k * R * sqrt(2 / pi)) - (1 - R * R)

        assert overlap == pytest.approx(brentq(imbalance, 0.0, 1.0, xtol=1e-16), rel=1e-10)


def test_the_square_loss_interpolates_first_at_its_largest_norm() -> None:
    """There R = alpha sqrt(2/pi)/lambda, the overlap of the least interpolator, and chi diverges."""
    for alpha in (0.2, 0.7):
        top = largest_norm("square", alpha)
        near = solve(LOSSES["square"], [alpha], [top * (1 - 1e-6)])
        assert near.overlap[0, 0] == pytest.approx(alpha * sqrt(2 / pi) / top, rel=1e-5)
        assert near.log_c[0, 0] > log(1e4)


@pytest.mark.parametrize(("alpha", "norm"), [(0.5, 0.7), (2.0, 1.9), (50.0, 20.0), (50.0, 0.5)])
def test_the_hinge_loss_against_adaptive_quadrature(alpha: float, norm: float) -> None:
    found = solve(LOSSES["hinge"], [alpha], [norm])
    theta, chi = pi * found.error[0, 0], exp(found.log_c[0, 0]) / norm
    s, kappa = sin(theta), 1 / norm

    def shift(t: float) -> float:
        return min(max(kappa - t, 0.0), chi)

    kinks = [p for p in (kappa - chi, kappa, -s, 0.0, s) if -10 * s < p < 10]
    first, _ = quad(
        lambda t: 2 * gaussian.pdf(t) * ndtr(t / tan(theta)) * shift(t) ** 2,
        -10 * s,
        10,
        points=kinks,
        limit=200,
    )
    second, _ = quad(
        lambda u: gaussian.pdf(u) * shift(s * u), -10, 10, points=[p / s for p in kinks], limit=200
    )
    assert alpha * first == pytest.approx(s * s, rel=1e-7)
    assert alpha * sqrt(2 / pi) * second == pytest.approx(cos(theta), rel=1e-7)


@pytest.mark.parametrize("name", ["hinge", "square"])
def test_every_loss_starts_at_hebb(name: str) -> None:
    errors = solve(LOSSES[name], [0.1, 2.0, 1e4], [1e-4]).error[:, 0]
    assert errors == pytest.approx([limits.hebb(alpha) for alpha in (0.1, 2.0, 1e4)], rel=2e-4)


def test_the_hinge_loss_ends_at_maximum_stability() -> None:
    """At norm 1/kappa_max the one student of zero loss is the most stable one."""
    for alpha in (0.5, 5.0):
        top = largest_norm("hinge", alpha)
        errors = solve(LOSSES["hinge"], [alpha], [top * (1 - 1e-2), top * (1 - 1e-3), top * (1 - 1e-4)]).error[
            0
        ]
        gaps = np.abs(errors / limits.maximum_stability(alpha) - 1.0)
        assert gaps[0] > gaps[1] > gaps[2]
        assert gaps[2] < 1e-3


def test_the_square_loss_has_no_early_law() -> None:
    """Its error never falls below that of least squares, at large alpha sqrt(1 - 2/pi) of Hebb's."""
    norms = [*np.geomspace(1e-2, 0.7, 10), sqrt(2 / pi), *np.geomspace(1.0, 1e3, 15)]
    square = solve(LOSSES["square"], [1e3], norms).error[0]
    logistic = solve(LOSSES["logistic"], [1e3], norms).error[0]
    assert square.min() / limits.hebb(1e3) == pytest.approx(sqrt(1 - 2 / pi), rel=5e-3)
    assert logistic.min() < 0.05 * limits.hebb(1e3)
