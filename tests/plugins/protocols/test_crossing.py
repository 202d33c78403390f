"""The exponents at departures: gamma_pred is the slope of the least errors, however softly errors saturate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from normlaw_plugins.protocols.envelope_model.crossing import by_fractions, reference
from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.noise import Noise
from normlaw_plugins.protocols.envelope_model.parameters import CEILING, GAMMA_0, LOG_A, LOG_SHARPNESS, X_1
from normlaw_plugins.protocols.envelope_model.priors import Variances, start_of
from normlaw_plugins.protocols.envelope_model.runs import Floats, runs_of
from normlaw_plugins.protocols.envelope_model.shape import Shape
from normlaw_registry.testing.protocol import synthetic_curves


@pytest.fixture(scope="module")
def begun() -> Fit:
    """Return where a fit begins, with no fitting."""
    runs = runs_of(synthetic_curves())
    shape = Shape(runs, (-1 / runs.span, 10 / runs.span))
    theta, named = start_of(runs, shape, 5 / runs.span)
    theta[GAMMA_0] = 0.1
    return Fit(runs, shape, Noise(1e-6, 0.0), Variances(), named, theta, np.zeros(len(runs.x)), -np.inf)


def saturating(fit: Fit, sharpness: float, ceiling: float) -> Floats:
    theta = fit.theta.copy()
    theta[LOG_SHARPNESS], theta[CEILING] = np.log(sharpness), ceiling
    return theta


def slope_of_least_errors(fit: Fit, theta: Floats) -> float:
    """Return how the least ln errors of the fitted curves fall from the smallest size to the largest."""
    runs = fit.runs
    rows = np.array([int(np.flatnonzero(runs.size_of == k)[0]) for k in (0, len(runs.sizes) - 1)])
    two = runs.subset(rows)

    def curve(row: int, x: float) -> float:
        made = fit.shape.for_runs(replace(two, x=np.full(two.x.shape, x)))
        return float(made(theta).fitted[row, 0])

    least = [
        minimize_scalar(lambda x, row=row: curve(row, x), bounds=(two.x[row].min(), two.x[row].max())).fun
        for row in (0, 1)
    ]
    return (least[0] - least[1]) / runs.span


@pytest.mark.parametrize(("sharpness", "ceiling"), [(8.0, 0.0), (1.0, 0.0), (0.5, -0.5)])
def test_gamma_pred_is_the_slope_of_the_least_errors_behind_a_straight_envelope(
    begun, sharpness, ceiling
) -> None:
    theta = saturating(begun, sharpness, ceiling)
    theta[X_1], theta[LOG_A] = -20.0, theta[LOG_A] + 1.0  # straight everywhere, and curves that turn
    fractions, near = reference(begun, theta)
    for found in by_fractions(begun, theta, fractions, near):
        gamma_0, gamma_1, gamma_2, gamma_pred, bend = found
        assert bend == pytest.approx(0.0, abs=1e-6)
        assert gamma_pred == pytest.approx(slope_of_least_errors(begun, theta), rel=1e-3)
        assert gamma_pred == pytest.approx(gamma_0 + gamma_1 * gamma_2)


def test_a_link_far_from_the_errors_leaves_exponents_as_they_are_and_a_soft_one_takes_its_part(begun) -> None:
    far, sharp, soft = (saturating(begun, *link) for link in ((8.0, 5.0), (8.0, 0.0), (0.5, -0.5)))
    fractions, near = reference(begun, far)
    one, other, less = (
        by_fractions(begun, theta, fractions, near).mean(axis=0) for theta in (far, sharp, soft)
    )
    assert one[0] == pytest.approx(0.1)
    assert other == pytest.approx(one, rel=1e-2)
    assert less[[0, 1, 3]] == pytest.approx(less[3] / one[3] * one[[0, 1, 3]], rel=1e-4)
    assert 0.5 * one[3] < less[3] < 0.9 * one[3]
    assert less[[2, 4]] == pytest.approx(one[[2, 4]])  # where curves depart does not depend on the link
