"""Curves against general solvers, closed forms, and committee machines that are trained."""

from __future__ import annotations

import re
from math import log, sqrt

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import erf, gamma

from normlaw_plugins.theories.committee import closed_forms, curve
from normlaw_plugins.theories.committee.averages import ERRORS
from normlaw_plugins.theories.committee.flow import Flow
from normlaw_plugins.theories.committee.integrate import integrate, phis
from normlaw_plugins.theories.committee.model import Model, Overlaps, drawn, isotropic, power_law
from normlaw_registry import InputError, NormlawError


def model(K: int, M: int, L: int, beta: float, eta: float, activation: str = "erf") -> Model:
    return Model(K, M, *power_law(L, beta), eta, activation)  # type: ignore[arg-type]  # one of the two


def symmetric(of: Model, asymmetry: float = 0.0) -> Overlaps:
    """Return the plateau's overlaps, and a part of the teachers' own in each student."""
    K = of.K
    r, q = closed_forms.plateau_overlaps(K)
    R = np.full((K, K), r) + asymmetry * (np.eye(K) - 1.0 / K)
    return isotropic(of, R, np.full((K, K), q))


def test_phi_functions_by_their_definition() -> None:
    mp = pytest.importorskip("mpmath")
    z = np.array([-300.0, -2.0, -0.1001, -0.0999, -1e-9, 0.0, 0.03, 1.5])
    with mp.workdps(60):
        for k, found in enumerate(phis(z), start=1):
            exact = [
                mp.mpf(1) / mp.factorial(k)
                if x == 0
                else (mp.exp(x) - sum(mp.mpf(x) ** j / mp.factorial(j) for j in range(k))) / mp.mpf(x) ** k
                for x in z
            ]
            assert found == pytest.approx([float(x) for x in exact], rel=3e-12)


@pytest.mark.parametrize(
    "asked", [pytest.param((2, 2, 8, 1.0, 0.5, 60.0), marks=pytest.mark.slow), (3, 2, 5, 0.5, 0.5, 60.0)]
)
def test_the_exponential_method_agrees_with_dop853(asked) -> None:
    of = model(*asked[:5])
    start = drawn(of, 400, 0.3, 1)
    flow, times = Flow(of, start.T), np.geomspace(0.1, asked[5], 8)
    y = np.concatenate([start.R, start.Q], axis=2)
    exact = solve_ivp(
        lambda _t, y_: flow.slope(y_.reshape(y.shape)).ravel(),
        (0, times[-1]),
        y.ravel(),
        method="DOP853",
        t_eval=times,
        rtol=1e-10,
        atol=1e-13,
    ).y.T.reshape(8, *y.shape)
    scale = 1 / len(of.eigenvalues)
    coarse = np.abs(integrate(flow, y, times, 1e-5) - exact).max() / scale
    fine = np.abs(integrate(flow, y, times, 1e-6) - exact).max() / scale
    assert coarse < 2e-3
    assert fine < 2e-4
    assert fine < 0.3 * coarse  # an order above one in the tolerance, or the estimate would tell nothing


def test_the_step_is_not_bound_by_the_largest_eigenvalue() -> None:
    """lambda_1 = 627: DOP853 needs about eta lambda_1 alpha/3 = 84,000 evaluations."""
    of = model(1, 1, 1024, 1.0, 0.2)
    start = isotropic(of, np.array([[0.3]]), np.array([[0.2]]))
    flow = Flow(of, start.T)
    evaluations = 0
    averages = flow.averages

    def counted(*args):
        nonlocal evaluations
        evaluations += 1
        return averages(*args)

    flow.averages = counted
    integrate(flow, np.concatenate([start.R, start.Q], axis=2), [2000.0], 1e-4)
    assert evaluations < 8000


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(("L", "beta"), [(1, 1.0), (5, 0.5)])
def test_the_symmetric_plateau_is_a_fixed_point_of_its_height(K, L, beta) -> None:
    of = model(K, K, L, beta, 1e-9)
    C = symmetric(of).covariance(of.eigenvalues)
    assert ERRORS["erf"](C, of.amplitudes) == pytest.approx(closed_forms.plateau_error(K), rel=1e-12)
    r, q = closed_forms.plateau_overlaps(K)
    flow = Flow(of, isotropic(of, np.zeros((K, K)), np.zeros((K, K))).T)
    slope = flow.slope(np.concatenate([symmetric(of).R, symmetric(of).Q], axis=2)) / of.eta
    assert np.abs(slope).max() < 1e-8  # but for the noise of the steps, of order eta
    assert (r, q) == pytest.approx((1 / sqrt(K * (2 * K - 1)), 1 / (2 * K - 1)))
    assert closed_forms.plateau_error(2) == pytest.approx(0.0058054202, abs=5e-11)


@pytest.mark.parametrize(("K", "L", "beta"), [(2, 1, 1.0), (2, 8, 1.0), (3, 4, 0.5)])
def test_the_asymmetry_grows_at_the_escape_rate(K, L, beta) -> None:
    eta = 1e-7
    of = model(K, K, L, beta, eta)
    rate = closed_forms.escape_rate(K, eta, of.eigenvalues, of.fractions)
    start = symmetric(of, 1e-6)
    flow, y = Flow(of, start.T), np.concatenate([start.R, start.Q], axis=2)
    states = integrate(flow, y, np.array([4.0, 5.0]) / rate, 1e-8)
    moments = np.tensordot(of.eigenvalues, states, axes=(0, 1))  # (times, K, M + K)
    first, second = moments[:, 0, 0] - moments[:, 0, 1]
    assert log(second / first) == pytest.approx(1.0, abs=2e-4)


def test_linear_networks_decay_eigenvalue_by_eigenvalue() -> None:
    eta = 1e-6
    of = model(1, 1, 512, 1.0, eta, "linear")
    start = isotropic(of, np.zeros((1, 1)), np.zeros((1, 1)))
    alpha = np.array([0.5, 3.0, 30.0]) / (2 * eta * of.eigenvalues[0])
    found = curve.solve(of, start, 10**6, alpha).error
    lam, f = of.eigenvalues, of.fractions
    exact = [0.5 * np.sum(f * lam * np.exp(-2 * eta * lam * a)) for a in alpha]
    assert found == pytest.approx(exact, rel=1e-4)
    scaled = 2 * eta * lam[0] * alpha[2]
    power = lam[0] / (4 * 512) * gamma(0.5) * scaled**-0.5 - lam[0] * 512.0**-2 / 2
    assert found[2] == pytest.approx(power, rel=0.01)


def test_linear_networks_of_finite_rate_obey_the_volterra_equation() -> None:
    eta = 0.6
    of = model(1, 1, 6, 0.5, eta, "linear")
    lam, f = of.eigenvalues, of.fractions
    grid = np.linspace(0, 3, 3001)
    h = grid[1]
    source = 0.5 * np.sum(f * lam * np.exp(-2 * eta * lam * grid[:, None]), axis=1)
    kernel = eta**2 * np.sum(f * lam**2 * np.exp(-2 * eta * lam * grid[:, None]), axis=1)
    eps = np.zeros_like(grid)
    eps[0] = source[0]
    for n in range(1, len(grid)):  # trapezoid rule
        past = kernel[n:0:-1] @ eps[:n] - 0.5 * kernel[n] * eps[0]
        eps[n] = (source[n] + h * past) / (1 - 0.5 * h * kernel[0])
    start = isotropic(of, np.zeros((1, 1)), np.zeros((1, 1)))
    found = curve.solve(of, start, 10**4, grid[[500, 1000, 3000]])
    assert found.error == pytest.approx(eps[[500, 1000, 3000]], rel=1e-4)


def test_a_linear_student_diverges_from_a_learning_rate_of_two_on() -> None:
    of = model(1, 1, 3, 1.0, 2.6, "linear")
    start = isotropic(of, np.zeros((1, 1)), np.zeros((1, 1)))
    short = curve.solve(of, start, 1000, [0.0, 5.0]).error
    assert short[1] > short[0]
    with pytest.raises(NormlawError, match="grow without bound"):
        curve.solve(of, start, 1000, [1e5])


def test_distinct_eigenvalues_as_many_as_dimensions_are_refused() -> None:
    of = model(2, 2, 400, 1.0, 0.8)
    start = isotropic(of, np.zeros((2, 2)), 0.1 * np.eye(2))
    with pytest.raises(InputError, match=re.escape("eta lambda_1/N = 0.487 is not small")):
        curve.solve(of, start, 400, [1.0])
    with pytest.raises(InputError, match="400 distinct eigenvalues need at least as many dimensions"):
        curve.solve(of, start, 399, [1.0])


def test_drawn_overlaps_are_those_of_weights() -> None:
    of = model(2, 3, 4, 1.0, 0.5)
    found = drawn(of, 4000, 0.5, 3)
    assert found.T.sum(axis=0) == pytest.approx(np.eye(3), abs=0.06)
    assert found.Q.sum(axis=0) == pytest.approx(0.25 * np.eye(2), abs=0.02)
    assert found.weight_norm == pytest.approx(sqrt(0.5), rel=0.02)
    assert np.abs(found.R).max() < 0.03
    assert found.Q[0, 0, 0] == pytest.approx(0.25 / 4, rel=0.15)
    assert (drawn(of, 4000, 0.5, 4).R != found.R).all()


def trained(of: Model, N: int, runs: int, steps: list[int]) -> tuple[np.ndarray, list[Overlaps]]:
    """Return eps of weights trained by SGD, from their overlaps, (runs, numbers of steps), and their starts.

    All runs take their steps at once, each with weights and examples of its own.
    """
    rng = np.random.default_rng(0)
    root = np.repeat(np.sqrt(of.eigenvalues), N // len(of.eigenvalues))
    B = rng.standard_normal((runs, of.M, N))
    J = 0.3 * B[:, np.arange(of.K) % of.M] + 0.4 * rng.standard_normal((runs, of.K, N))  # partly specialised

    def overlaps(run: int) -> Overlaps:
        parts = (len(of.eigenvalues), -1)
        j, b = J[run].reshape(of.K, *parts), B[run].reshape(of.M, *parts)
        return Overlaps(*(np.einsum("ied,jed->eij", *pair) / N for pair in ((j, b), (j, j), (b, b))))

    starts, errors, taken = [overlaps(run) for run in range(runs)], [], 0
    for stop in steps:
        for _ in range(stop - taken):
            xi = root * rng.standard_normal((runs, N))
            x, y = ((weights @ xi[:, :, None])[:, :, 0] / sqrt(N) for weights in (J, B))  # (runs, K), (runs, M)
            gap = of.tau * erf(y / sqrt(2)).sum(axis=1) - of.s * erf(x / sqrt(2)).sum(axis=1)  # (runs,)
            pull = sqrt(2 / np.pi) * np.exp(-x * x / 2) * gap[:, None]  # (runs, K)
            J += of.eta * of.s / sqrt(N) * pull[:, :, None] * xi[:, None, :]
        taken = stop
        covariances = [overlaps(run).covariance(of.eigenvalues) for run in range(runs)]
        errors.append([ERRORS[of.activation](C, of.amplitudes) for C in covariances])
    return np.array(errors).T, starts


@pytest.mark.parametrize(("K", "M"), [(2, 2), (3, 2)])
@pytest.mark.slow
def test_trained_committees_agree_within_four_standard_errors(K, M) -> None:
    """N = 200, each against the curve from its own start: eight runs, alpha up to 25."""
    of, N, alphas = model(K, M, 5, 0.5, 0.5), 200, [2.0, 8.0, 25.0]
    errors, starts = trained(of, N, 8, [int(a * N) for a in alphas])
    ratios = errors / np.array([curve.solve(of, start, N, alphas).error for start in starts])
    mean, error = np.mean(ratios, axis=0), np.std(ratios, axis=0, ddof=1) / sqrt(8)
    assert (error < 0.03).all()  # or four of them would prove little
    assert (np.abs(mean - 1) < 4 * error + 1 / N).all()
