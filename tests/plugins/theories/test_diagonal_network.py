"""The component `diagonal_network`: what it answers and what it refuses."""

from __future__ import annotations

import re
from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq

from normlaw_plugins.theories.diagonal.dual import interpolator
from normlaw_plugins.theories.diagonal_network import DIAGONAL_NETWORK, DiagonalParams
from normlaw_registry import InputError


def test_a_point_has_the_moments_of_the_interpolator() -> None:
    """One draw of 600 dimensions, whose fluctuations are a few per cent; norms of the weights too."""
    d, depth, scale, delta = 600, 3, 0.5, 0.5
    rng = np.random.default_rng(2)
    truth = rng.permutation(np.repeat([1.0, -1.0, 0.0], [30, 30, d - 60])) * sqrt(10.0)
    inputs = rng.standard_normal((300, d)) / sqrt(d)
    beta = interpolator(inputs, inputs @ truth + 0.2 * rng.standard_normal(300), depth, scale)
    c = scale**depth
    s = [brentq(lambda s, b=b: c * ((1 - s) ** -3 - (1 + s) ** -3) - b, -0.99, 0.99) for b in beta]
    w = scale / np.array([1 - np.array(s), 1 + np.array(s)])  # 1/w_+ + 1/w_- = 2/a along the flow
    assert w[0] ** depth - w[1] ** depth == pytest.approx(beta, abs=1e-9)
    (point,) = DIAGONAL_NETWORK.points(
        DiagonalParams(depth=depth, noise=0.2), {"delta": [delta], "initial_scale": [scale]}
    )
    assert point["test_loss"] == pytest.approx(np.mean((beta - truth) ** 2), rel=0.1)
    assert point["noisy_test_loss"] == pytest.approx(point["test_loss"] + 0.04, rel=1e-9)
    assert point["predictor_l2"] == pytest.approx(np.linalg.norm(beta) / sqrt(d), rel=0.03)
    assert point["predictor_l1"] == pytest.approx(np.abs(beta).mean(), rel=0.03)
    assert point["norm"] == pytest.approx(np.linalg.norm(w) / sqrt(d), rel=0.01)


def test_references_are_the_ends_of_the_scale() -> None:
    params = DiagonalParams(depth=3, noise=0.2)
    ends = DIAGONAL_NETWORK.points(params, {"delta": [0.4], "initial_scale": [1e-8, 1e4]})
    for point, name in zip(ends, ("least_l1", "least_l2"), strict=True):
        reference = DIAGONAL_NETWORK.compared[name].value(params, {"delta": 0.4})
        assert point["test_loss"] == pytest.approx(reference, rel=1e-6)


def test_scales_that_float64_has_no_room_for_are_refused() -> None:
    with pytest.raises(
        InputError, match=re.escape("initial_scale^depth = 10^-480 is outside [10^-250, 10^100]")
    ):
        DIAGONAL_NETWORK.points(DiagonalParams(depth=8), {"delta": [0.4], "initial_scale": [1e-60]})


@pytest.mark.parametrize("delta", [0.0, 1.0, 1.5])
def test_loads_without_a_bias_are_refused(delta) -> None:
    with pytest.raises(InputError, match="delta"):
        DIAGONAL_NETWORK.points(DiagonalParams(), {"delta": [delta], "initial_scale": [1.0]})


def test_noise_is_given_by_its_deviation_or_by_its_variance() -> None:
    assert DiagonalParams(noise_variance=0.04) == DiagonalParams(noise=0.2)  # type: ignore[call-arg]
    for wrong, message in (
        ({"noise_variance": 0.04, "noise": 0.2}, "give one of noise and noise_variance"),
        ({"noise_variance": -1}, "a number from 0 on"),
        ({"noise_variance": "much"}, "a number from 0 on"),
        ({"noise_variance": True}, "a number from 0 on"),
    ):
        with pytest.raises(ValueError, match=message):
            DiagonalParams(**wrong)
