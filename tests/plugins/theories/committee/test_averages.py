"""Averages over the fields against quadrature in the full Gaussian measure and against samples."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy.special import erf

from normlaw_plugins.theories.committee.averages import AVERAGES, ERRORS

AMPLITUDES = np.array([-0.7, -0.7, 0.6])
FACTOR = np.array([[0.9, 0.1, 0.0], [0.3, 0.8, 0.2], [0.5, -0.4, 0.7]])
COVARIANCE = FACTOR @ FACTOR.T
UNITS: dict[str, tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]] = {
    "erf": (lambda x: erf(x / np.sqrt(2)), lambda x: np.sqrt(2 / np.pi) * np.exp(-x * x / 2)),
    "linear": (lambda x: x, np.ones_like),
}


@pytest.mark.parametrize("activation", ["erf", "linear"])
def test_all_averages_by_gauss_hermite_quadrature(activation) -> None:
    """K = 2, M = 1: a product rule of 40 nodes in each of three independent directions."""
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    weight = weight / weight.sum()
    z = np.array(list(product(node, repeat=3)))
    w = np.prod(np.array(list(product(weight, repeat=3))), axis=1)
    fields = z @ FACTOR.T  # (nodes, 3)
    g, slope = UNITS[activation]
    gap = g(fields) @ AMPLITUDES
    delta = slope(fields[:, :2]) * gap[:, None]
    found = AVERAGES[activation](COVARIANCE, AMPLITUDES, 2)
    assert found.noise == pytest.approx(np.einsum("n,ni,nj->ij", w, delta, delta), rel=1e-8)
    pulled = np.einsum("n,ni,nv->iv", w, delta, fields)
    assert found.response @ COVARIANCE == pytest.approx(pulled, rel=1e-8)
    assert ERRORS[activation](COVARIANCE, AMPLITUDES) == pytest.approx(0.5 * w @ gap**2, rel=1e-8)


def test_a_student_like_its_teacher_has_no_error_and_does_not_move() -> None:
    covariance = np.array([[1.3, 0.2, 1.3, 0.2], [0.2, 0.7, 0.2, 0.7]] * 2)
    amplitudes = np.array([-0.5, -0.5, 0.5, 0.5])
    found = AVERAGES["erf"](covariance, amplitudes, 2)
    assert found.noise == pytest.approx(np.zeros((2, 2)), abs=1e-14)
    assert found.response @ covariance == pytest.approx(np.zeros((2, 4)), abs=1e-14)
    assert ERRORS["erf"](covariance, amplitudes) == pytest.approx(0.0, abs=1e-15)
