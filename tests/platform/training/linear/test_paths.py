"""Gradient flow and least loss at fixed norm, against autograd and against plain gradient descent."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
import torch
from mpmath import mp
from sklearn.svm import SVC
from torch.nn.functional import softplus

from normlaw.training.linear.fixed_norm import least_loss
from normlaw.training.linear.gradient_flow import gradient_flow
from normlaw.training.linear.margins import SignedInputs
from normlaw.training.linear.one_pass import ROWS, compiled_one_pass
from normlaw_registry import NormlawError

N, P = 20, 50


@pytest.fixture
def rows() -> np.ndarray:
    """y x of a teacher's examples, (P, N)."""
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((P, N))
    return np.sign(inputs @ rng.standard_normal(N))[:, None] * inputs


@pytest.fixture
def start() -> np.ndarray:
    v = np.random.default_rng(4).standard_normal(N)
    return 1e-3 * v / np.linalg.norm(v)


def loss_of(rows: np.ndarray, v: torch.Tensor) -> torch.Tensor:
    return softplus(-2.0 * torch.from_numpy(rows) @ v, threshold=1e3).mean()


@pytest.mark.parametrize("norm", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("count", [1, ROWS - 1, ROWS, ROWS + 1, P])
def test_loss_pull_and_curvature_are_autograds(rows: np.ndarray, norm: float, count: int) -> None:
    rows = rows[:count]
    v = np.random.default_rng(5).standard_normal(N)
    v *= norm / np.linalg.norm(v)
    examples = SignedInputs(rows)
    state = examples.at(v)
    w = torch.from_numpy(v).requires_grad_()
    loss = loss_of(rows, w)
    (gradient,) = torch.autograd.grad(loss, w)
    slope = float(torch.sigmoid(-2.0 * torch.from_numpy(rows @ v)).mean())
    hessian = torch.autograd.functional.hessian(lambda u: loss_of(rows, u), torch.from_numpy(v))
    assert state.log_loss == pytest.approx(float(loss.detach().log()), rel=1e-12)
    assert state.pull == pytest.approx(-gradient.numpy() / slope, rel=1e-11, abs=1e-12)
    assert state.mean_slope * np.exp(-2 * state.shift) == pytest.approx(slope, rel=1e-12)
    assert examples.curvature(state) == pytest.approx(hessian.numpy() / slope, rel=1e-9, abs=1e-12)


def test_rows_in_float32_are_taken_as_they_are_in_float64(rows: np.ndarray) -> None:
    short, v = rows.astype(np.float32), np.random.default_rng(7).standard_normal(N)
    assert not np.array_equal(short, rows)
    one, other = (SignedInputs(each) for each in (short, short.astype(np.float64)))
    here, there = one.at(v), other.at(v)
    for name in ("margins", "pull", "mean_slope"):
        assert getattr(here, name) == pytest.approx(getattr(there, name), rel=1e-13)
    assert one.curvature(here) == pytest.approx(other.curvature(there), rel=1e-13)


@pytest.mark.parametrize("ascending", [True, False])
def test_the_unit_of_the_slopes_follows_the_least_margin(ascending: bool) -> None:
    """Margins from 2 to 600, met from either end: slopes from e^-4 to e^-1200, relative to their sum."""
    rows = np.eye(N)[np.arange(P) % N] * np.geomspace(2.0, 600.0, P)[:: 1 if ascending else -1, None]
    state = SignedInputs(rows).at(np.ones(N))
    z = np.array([mp.mpf(float(row.sum())) for row in rows])
    slopes = np.array([1 / (1 + mp.exp(2 * x)) for x in z])
    assert state.shift == rows.max(axis=1).min()
    assert state.pull == pytest.approx((2 * (slopes @ rows) / slopes.sum()).astype(float), rel=1e-13, abs=0)


def test_weights_that_are_not_a_number_give_nothing_that_looks_right(rows: np.ndarray) -> None:
    assert np.isnan(SignedInputs(rows).at(np.full(N, np.nan)).pull).all()


def test_it_is_compiled_where_no_folder_can_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    real = numba.njit
    assert real(lambda x: x)(1) == 1  # the first time, numba compiles for itself, too, in its own folder

    def without_cache(cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", without_cache)
    rows, gathered = np.array([[3.0, 4.0]]), np.empty(2)
    assert compiled_one_pass.__wrapped__()(rows, np.zeros(2), np.empty(1), gathered) == (0.0, 0.5)
    assert gathered.tolist() == [1.5, 2.0]


def test_nothing_underflows_at_a_norm_of_a_million(rows: np.ndarray, start: np.ndarray) -> None:
    """There the loss is that of the example of least margin, and the pull is its input."""
    *_, best = least_loss(SignedInputs(rows), start, np.geomspace(1.0, 100.0, 30), 1e-6)
    far = 1e6 * best / np.linalg.norm(best)
    state, margins = SignedInputs(rows).at(far), rows @ far
    assert margins.min() > 1e4
    assert state.log_loss == pytest.approx(-2.0 * margins.min() - np.log(P), rel=1e-12)
    assert state.pull == pytest.approx(2.0 * rows[np.argmin(margins)], rel=1e-12)


def test_the_jacobian_is_the_derivative_of_the_velocity(rows: np.ndarray) -> None:
    examples, v = SignedInputs(rows), np.random.default_rng(6).standard_normal(N)
    state = examples.at(v)
    hessian, slower = examples.curvature_and_slowing(state)
    jacobian, h = -hessian - np.outer(state.pull, slower), 1e-6
    for k in range(0, N, 6):
        e = np.eye(N)[k] * h
        numeric = (examples.at(v + e).pull - examples.at(v - e).pull) / (2 * h)
        assert jacobian[:, k] == pytest.approx(numeric, rel=1e-6, abs=1e-7)


def test_the_path_is_that_of_gradient_descent_with_small_steps(rows: np.ndarray, start: np.ndarray) -> None:
    """Halving the descent's step halves its distance from the path."""
    norms = [0.3, 1.0, 3.0]
    path = np.array(list(gradient_flow(SignedInputs(rows), start, norms, 1e-7)))
    distances = []
    for rate in (4e-3, 2e-3):
        v, found = start.copy(), []
        for norm in norms:
            while True:
                z = rows @ v
                gradient = -2.0 * (1.0 / (1.0 + np.exp(2.0 * z))) @ rows / P
                after = v - rate * gradient
                if np.linalg.norm(after) >= norm:
                    break
                v = after
            low, high = 0.0, 1.0  # where on the last step the norm is reached
            for _ in range(60):
                share = 0.5 * (low + high)
                reached = np.linalg.norm(v - share * rate * gradient) >= norm
                low, high = (low, share) if reached else (share, high)
            found.append(v - low * rate * gradient)
        distances.append(np.linalg.norm(np.array(found) - path, axis=1) / norms)
    assert (distances[0] < 2e-2).all()
    assert distances[1] / distances[0] == pytest.approx(0.5, rel=0.05)


def test_the_tolerance_bounds_the_distance_from_the_exact_path(rows: np.ndarray, start: np.ndarray) -> None:
    norms = np.geomspace(1e-2, 1e3, 16)
    exact = np.array(list(gradient_flow(SignedInputs(rows), start, norms, 1e-9)))
    for tolerance in (1e-3, 1e-5):
        found = np.array(list(gradient_flow(SignedInputs(rows), start, norms, tolerance)))
        assert np.linalg.norm(found, axis=1) == pytest.approx(norms, rel=1e-9)
        distance = np.linalg.norm(found - exact, axis=1) / norms
        assert distance.max() < 20.0 * tolerance  # local errors add up along hundreds of steps


@pytest.mark.parametrize("norm", [1e-3, 0.5, 20.0])
def test_at_fixed_norm_the_gradient_points_outwards(rows: np.ndarray, start: np.ndarray, norm: float) -> None:
    (v,) = least_loss(SignedInputs(rows), start, [norm], 1e-9)
    w = torch.from_numpy(v).requires_grad_()
    (gradient,) = torch.autograd.grad(loss_of(rows, w), w)
    assert np.linalg.norm(v) == pytest.approx(norm, rel=1e-12)
    assert -gradient.numpy() / gradient.norm().item() == pytest.approx(v / norm, abs=1e-7)


def test_no_student_of_that_norm_has_less_loss(rows: np.ndarray, start: np.ndarray) -> None:
    norms = np.geomspace(1e-2, 100.0, 12)
    examples = SignedInputs(rows)
    flow = gradient_flow(examples, start, norms, 1e-6)
    for held, free in zip(least_loss(examples, start, norms, 1e-9), flow, strict=True):
        assert examples.at(held).log_loss <= examples.at(free).log_loss
        for direction in np.random.default_rng(7).standard_normal((20, N)):
            other = held + 0.1 * np.linalg.norm(held) * direction / np.linalg.norm(direction)
            other *= np.linalg.norm(held) / np.linalg.norm(other)
            assert examples.at(held).log_loss < examples.at(other).log_loss


def test_far_out_both_tend_to_the_student_of_largest_margin(rows: np.ndarray, start: np.ndarray) -> None:
    """An SVM of hard margin, without intercept since each example is given with its mirror image."""
    svm = SVC(kernel="linear", C=1e6, tol=1e-9).fit(np.concatenate([rows, -rows]), [1] * P + [-1] * P)
    best = svm.coef_[0] / np.linalg.norm(svm.coef_)
    *_, held = least_loss(SignedInputs(rows), start, np.geomspace(0.1, 3e3, 80), 1e-8)
    *_, free = gradient_flow(SignedInputs(rows), start, [3e3], 1e-6)
    for v in (held, free):
        assert v / np.linalg.norm(v) == pytest.approx(best, abs=5e-3)


def test_examples_that_no_linear_classifier_separates_end_the_path(start: np.ndarray) -> None:
    rows = np.random.default_rng(8).standard_normal((P, N))
    rows = np.concatenate([rows, -0.9 * rows])
    for follow in (gradient_flow, least_loss):
        with pytest.raises(NormlawError, match="norm"):
            list(follow(SignedInputs(rows), start, [1e-2, 1e3], 1e-6))
