"""The exponents at departures: those of the envelope that is drawn, however softly errors saturate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from normlaw_plugins.protocols.envelope_model.crossing import Laws, by_fractions, reference
from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.noise import Noise
from normlaw_plugins.protocols.envelope_model.priors import Variances, start_of
from normlaw_plugins.protocols.envelope_model.runs import Floats, runs_of
from normlaw_plugins.protocols.envelope_model.shape import (
    CEILING,
    GAMMA_0,
    LOG_SHARPNESS,
    U_0,
    Shape,
)
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


def fall_of_the_envelope(fit: Fit, theta: Floats, fraction: float, near: float) -> float:
    """Return how ln error falls over ln P from the first departure to the last, on envelopes as drawn."""
    runs, ends = fit.runs, [0, len(fit.runs.sizes) - 1]
    places = Laws(fit, theta).departures(fraction, runs.p_of_sizes[ends], np.zeros(2), near)
    rows = [int(np.flatnonzero(runs.size_of == k)[0]) for k in ends]
    two = runs.subset(np.array(rows))
    x = two.x.copy()
    x[:, 0] = places
    never = theta.copy()
    never[U_0] = 1e6
    made = Shape.for_runs(fit.shape, replace(two, x=x))
    log_error = made(never, derivatives=False).fitted[:, 0]
    return float(log_error[0] - log_error[1]) / runs.span


@pytest.mark.parametrize(("sharpness", "ceiling"), [(8.0, 0.0), (1.0, 0.0), (0.5, -0.5)])
def test_gamma_pred_is_the_fall_of_the_drawn_envelope_between_departures(begun, sharpness, ceiling) -> None:
    theta = saturating(begun, sharpness, ceiling)
    fractions, near = reference(begun, theta)
    for found, fraction, place in zip(
        by_fractions(begun, theta, fractions, near), fractions, near, strict=True
    ):
        gamma_0, gamma_1, gamma_2, gamma_pred, _ = found
        assert gamma_pred == pytest.approx(fall_of_the_envelope(begun, theta, fraction, place), rel=2e-3)
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
