"""The interpolator of the dual problem against gradient flow on the weights themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import linprog

from normlaw_plugins.theories.diagonal.dual import interpolator
from normlaw_registry import InputError, NormlawError


def examples(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    inputs = rng.standard_normal((n, d)) / np.sqrt(d)
    return inputs, inputs @ np.where(rng.random(d) < 0.1, np.sqrt(10.0), 0.0) + 0.1 * rng.standard_normal(n)


def flow(inputs: np.ndarray, labels: np.ndarray, depth: int, scale: float) -> np.ndarray:
    """Return beta where gradient flow on w_+, w_- comes to rest."""
    d = inputs.shape[1]

    def beta(w: np.ndarray) -> np.ndarray:
        return w[:d] ** depth - w[d:] ** depth

    def rate(_t: float, w: np.ndarray) -> np.ndarray:
        gradient = 2.0 * inputs.T @ (inputs @ beta(w) - labels)
        return -depth * np.concatenate([gradient * w[:d] ** (depth - 1), -gradient * w[d:] ** (depth - 1)])

    start = np.full(2 * d, scale)
    end = solve_ivp(rate, (0.0, 3000.0), start, method="LSODA", rtol=1e-10, atol=1e-13)
    found = beta(end.y[:, -1])
    assert np.abs(inputs @ found - labels).max() < 1e-7  # or the flow has not ended
    return found


@pytest.mark.parametrize(("depth", "scale"), [(2, 1.0), (2, 0.1), (3, 0.4), (4, 0.6)])
@pytest.mark.slow
def test_gradient_flow_ends_at_the_dual_solution(depth, scale) -> None:
    inputs, labels = examples(10, 30)
    expected = flow(inputs, labels, depth, scale)
    found = interpolator(inputs, labels, depth, scale)
    assert np.linalg.norm(found - expected) < 1e-6 * np.linalg.norm(expected)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_large_scale_ends_at_the_least_l2_norm(depth) -> None:
    inputs, labels = examples(12, 40)
    assert interpolator(inputs, labels, depth, 300.0) == pytest.approx(
        np.linalg.pinv(inputs) @ labels, abs=1e-6
    )


def test_a_small_scale_ends_at_the_least_l1_norm_by_linear_programming() -> None:
    inputs, labels = examples(12, 40)
    least = linprog(np.ones(80), A_eq=np.hstack([inputs, -inputs]), b_eq=labels)
    found = interpolator(inputs, labels, 3, 1e-4)
    assert found == pytest.approx(least.x[:40] - least.x[40:], abs=1e-3)
    assert np.abs(found).sum() == pytest.approx(least.fun, rel=1e-6)
    assert np.abs(interpolator(inputs, labels, 3, 1.0)).sum() > 1.1 * least.fun


def test_what_has_no_implicit_bias_is_refused() -> None:
    inputs, labels = examples(12, 12)
    with pytest.raises(InputError, match="fewer examples than weights"):
        interpolator(inputs, labels, 2, 1.0)


def test_a_scale_beyond_the_resolution_of_float64_is_refused() -> None:
    with pytest.raises(NormlawError, match="initial_scale = 1e-09; take a larger scale"):
        interpolator(*examples(12, 40), 4, 1e-9)
