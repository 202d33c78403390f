"""Random features against closed forms, power series, direct sums and simulation."""

from __future__ import annotations

import shlex
import warnings
from math import gamma, inf, pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import zeta

from normlaw.cli.program import main
from normlaw.tracking.store import StudyStore
from normlaw.verbs.on_theory import compare_with_counterparts
from normlaw_plugins.theories.features import flow
from normlaw_plugins.theories.features.contours import circle, talbot
from normlaw_plugins.theories.features.flow import evolve
from normlaw_plugins.theories.features.modes import Modes, power_law
from normlaw_plugins.theories.features.roots import Complex, Kernel
from normlaw_plugins.theories.random_features import RANDOM_FEATURES, RandomFeaturesParams
from normlaw_registry import InputError, NormlawError

Array = NDArray[np.float64]


def points(examples: float, times: list[float], **params: Any) -> list[dict[str, float]]:
    grid = {"examples": [examples], "time": times}
    return RANDOM_FEATURES.points(RandomFeaturesParams(**params), grid)


def column(name: str, found: list[dict[str, float]]) -> list[float]:
    return [point[name] for point in found]


# Closed forms


@pytest.mark.parametrize(("a", "b"), [(1.5, 1.25), (2.0, 2.0), (3.0, 1.25), (1.2, 1.1)])
def test_descent_on_the_population_is_a_sum_over_modes(a: float, b: float) -> None:
    k, times = np.arange(1.0, 1001.0), [0.1, 3.0, 100.0, 2e3, 1e5]
    found = points(inf, times, a=a, b=b, modes=1000)
    for point, t in zip(found, times, strict=True):
        assert point["test_loss"] == pytest.approx(np.sum(k**-a * np.exp(-2 * k**-b * t)), rel=1e-9)
        assert point["norm"] == pytest.approx(
            sqrt(np.sum(k ** (b - a) * np.expm1(-(k**-b) * t) ** 2)), rel=1e-9
        )
    steps = [1, 7, 60, 61, 1000]
    found = points(
        inf, [0.7 * n for n in steps], a=a, b=b, modes=1000, dynamics="gradient_descent", learning_rate=0.7
    )
    for point, n in zip(found, steps, strict=True):
        assert point["test_loss"] == pytest.approx(np.sum(k**-a * (1 - 0.7 * k**-b) ** (2 * n)), rel=1e-9)


@pytest.mark.parametrize(("a", "b"), [(1.5, 1.25), (2.0, 2.0), (1.1, 1.05)])
def test_infinitely_many_modes_are_summed(a: float, b: float) -> None:
    modes = power_law(a, b, inf)
    assert modes.of_target.sum() == pytest.approx(zeta(a), rel=1e-10)
    assert modes.trace == pytest.approx(zeta(b), rel=1e-10)
    times = [1e3, 1e6, 1e9]
    for loss, t in zip(column("test_loss", points(inf, times, a=a, b=b)), times, strict=True):
        assert loss == pytest.approx(gamma((a - 1) / b) / b * (2 * t) ** (-(a - 1) / b), rel=1e-8)


def test_many_modes_by_quadrature_agree_with_their_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    from normlaw_plugins.theories.features import modes

    few, times = power_law(1.5, 1.25, 8_000), np.array([1.0, 100.0, 1e5])
    monkeypatch.setattr(modes, "SUMMED", 10**6)
    every = power_law.__wrapped__(1.5, 1.25, 8_000)
    assert len(few.lam) < 500 < len(every.lam) == 8_000
    for examples, width in ((500.0, 300.0), (inf, 100.0)):
        one, other = (evolve(Kernel(m, examples, width), 0.1, times, None) for m in (few, every))
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-10)


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_equal_eigenvalues_give_the_law_of_marchenko_and_pastur(ratio: float) -> None:
    M = 400
    one = np.ones(M)
    modes = Modes(M, one, one, one, one / M, one / M, one / M)
    q = ratio  # M/N
    low, high = (1 - sqrt(q)) ** 2, (1 + sqrt(q)) ** 2
    for t in (0.3, 3.0, 30.0):
        bulk = quad(
            lambda x, t=t: sqrt((high - x) * (x - low)) / (2 * pi * q * x) * np.exp(-2 * x * t),
            low,
            high,
            epsabs=0,
            epsrel=1e-11,
            limit=400,
        )[0]
        expected = bulk + max(0.0, 1 - 1 / q)
        for sizes in ((inf, M / q), (M / q, inf)):
            found = evolve(Kernel(modes, *sizes), 0.0, np.array([t]), None)
            assert found["test_loss"][0] == pytest.approx(expected, rel=1e-8)


def test_long_times_end_at_the_ridgeless_solution() -> None:
    """S(kappa) = min(N, P); with a = b, no noise and the other size infinite, the loss is kappa min(N, P)."""
    k = np.arange(1.0, 1001.0)
    for small in (20.0, 200.0):
        kappa = brentq(
            lambda x, n=small: np.sum(k**-2.0 / (x + k**-2.0)) - n, 1e-12, 1.0, xtol=1e-16, rtol=1e-14
        )
        for examples, width in ((small, inf), (inf, small)):
            (limit,) = points(examples, [inf], a=2, b=2, modes=1000, width=width)
            assert limit["test_loss"] == pytest.approx(kappa * small, rel=1e-9)
    found = points(1500, [1e8, inf], modes=500, width=1000, noise_variance=0.1)
    least_squares = 0.1 * 500 / (1500 - 500)
    assert column("test_loss", found) == pytest.approx([least_squares] * 2, rel=1e-9)
    assert column("train_loss", found) == pytest.approx([0.1 * 2 / 3] * 2, rel=1e-9)


@pytest.mark.parametrize(("examples", "width"), [(100.0, 300.0), (300.0, 100.0), (80.0, inf), (inf, 80.0)])
def test_late_times_lead_to_the_limit(examples: float, width: float) -> None:
    late, limit = points(examples, [1e7, inf], width=width, noise_variance=0.2)
    assert late["test_loss"] == pytest.approx(limit["test_loss"], rel=1e-9)
    assert late["train_loss"] == pytest.approx(limit["train_loss"], rel=1e-9, abs=1e-30)
    assert late["norm"] == pytest.approx(limit["norm"], rel=1e-9)


@pytest.mark.parametrize("modes", [40, 3000])
def test_as_many_modes_as_examples_or_features_are_learnt_where_nothing_is_noisy(modes: int) -> None:
    """Square systems have one solution: w itself, or, of more features, w^T (A A^T)^-1 w with A drawn."""
    k = np.arange(1.0, modes + 1)
    squares = float(np.sum(k**-0.25))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (learnt,) = points(modes, [inf], modes=modes)
        (wider,) = points(modes, [inf], modes=modes, width=3 * modes)
        (square,) = points(2 * modes, [inf], modes=modes, width=modes)
    assert learnt["norm"] == pytest.approx(sqrt(squares))
    assert wider["norm"] == pytest.approx(sqrt(squares * 1.5))
    assert square["norm"] == inf
    assert {one[name] for one in (learnt, wider, square) for name in ("test_loss", "train_loss")} == {0.0}
    if modes == 40:
        features = np.random.default_rng(0).standard_normal((400, modes, 3 * modes)) / sqrt(3 * modes)
        w = k**-0.125
        found = np.linalg.solve(
            features @ features.transpose(0, 2, 1), np.broadcast_to(w[:, None], (400, 40, 1))
        )
        drawn = (found[..., 0] @ w).mean() * (1 - 1 / (2 * modes))  # of P, N to infinity
        assert wider["norm"] ** 2 == pytest.approx(drawn, rel=0.02)
        late = points(modes, [1e10], modes=modes, width=3 * modes)[0]
        assert late["norm"] == pytest.approx(wider["norm"], rel=1e-4)
        growing = points(2 * modes, [1e8, 1e10], modes=modes, width=modes)
        assert (growing[1]["norm"] / growing[0]["norm"]) ** 2 == pytest.approx(10.0, rel=1e-3)


def test_width_and_examples_limit_the_loss_by_known_powers() -> None:
    """Width: N^-min(a-1, b); examples: P^-min(a-1, 2b)."""
    for a, width_power, examples_power in ((1.5, 0.5, 0.5), (3.0, 1.25, 2.0)):
        sizes = [1e5, 2e5]
        by_width = [points(inf, [inf], a=a, width=n)[0]["test_loss"] for n in sizes]
        by_examples = [points(p, [inf], a=a)[0]["test_loss"] for p in sizes]
        assert np.log2(by_width[0] / by_width[1]) == pytest.approx(width_power, abs=0.02)
        assert np.log2(by_examples[0] / by_examples[1]) == pytest.approx(examples_power, abs=0.02)


def test_the_decaying_train_loss_keeps_its_digits() -> None:
    """Left of the spectrum's gap; of equal eigenvalues the tail is that of the density's edge."""
    M, P, t = 400, 200.0, 200.0
    one = np.ones(M)
    kernel = Kernel(Modes(M, one, one, one, one / M, one / M, one / M), P, inf)
    low, high = (1 - sqrt(2)) ** 2, (1 + sqrt(2)) ** 2
    assert kernel.gap() == pytest.approx(low, rel=1e-9)
    assert kernel.edge() == pytest.approx(high, rel=1e-9)
    found = evolve(kernel, 0.0, np.array([t]), None)["train_loss"][0]
    bulk = quad(  # the train loss is e^T K e, so a factor x more than the test loss
        lambda x: sqrt((high - x) * (x - low)) / (4 * pi) * np.exp(-2 * (x - low) * t),
        low,
        low + 0.2,
        epsabs=0,
        epsrel=1e-11,
        limit=400,
    )[0]
    assert found == pytest.approx(bulk * np.exp(-2 * low * t), rel=1e-7)
    assert 0 < found < 1e-28


# Power series: no contour


def product(x: Array, y: Array) -> Array:
    """Return the product of two series of one variable, cut at their length."""
    return np.convolve(x, y)[: len(x)]


def reciprocal(x: Array) -> Array:
    found = np.zeros_like(x)
    found[0] = 1 / x[0]
    for m in range(1, len(x)):
        found[m] = -found[0] * np.dot(x[1 : m + 1], found[m - 1 :: -1][:m])
    return found


def product2(x: Array, y: Array) -> Array:
    """Return the product of two series of two variables."""
    n = len(x)
    found = np.zeros_like(x)
    for i in range(n):
        for j in range(n):
            found[i:, j:] += x[i, j] * y[: n - i, : n - j]
    return found


def reciprocal2(x: Array) -> Array:
    """Return 1/x by Newton's iteration, which doubles the known terms."""
    found = np.zeros_like(x)
    found[0, 0] = 1 / x[0, 0]
    for _ in range(2 * len(x)):
        rest = -product2(x, found)
        rest[0, 0] += 2
        found = product2(found, rest)
    return found


def series_of_descent(
    a: float, b: float, M: int, P: float, N: float, noise: float, rate: float, steps: int
) -> list[Array]:
    """Return test loss, train loss and |v|^2 after 0..steps-1 steps of gradient descent.

    All functions of z are power series in x = 1/(1 + rate z) there, whose coefficients are what an inverse
    transform gives: f(n) = F_{n+1}/rate. kappa = q/x.
    """
    n = steps + 1
    lam = np.arange(1.0, M + 1) ** -b
    one, x = np.eye(n)[0], np.eye(n)[1]
    z_x = (one - x) / rate  # z x
    q = z_x
    for _ in range(n):  # each pass makes one more coefficient exact
        inverse = np.array([reciprocal(q + value * x) for value in lam])
        g = np.array([product(x, row) for row in inverse])
        r1, r3 = one - lam @ g / P, one - lam @ g / N
        q = product(z_x, reciprocal(product(r1, r3)))
    kappa_g = np.array([product(q, row) for row in inverse])
    w2 = np.arange(1.0, M + 1) ** -a / lam

    def pairs(weight: Array, of: Array) -> Array:
        return np.einsum("k,ki,kj->ij", weight, of, of)

    one2 = np.outer(one, one)
    a1, a2, t2 = pairs(lam, g), pairs(lam**2, g), pairs(lam**2 * w2, g)
    ka1, kt1 = pairs(lam, kappa_g), pairs(lam * w2, kappa_g)
    first, second = kt1 + noise * a2 / P, t2 + noise * a1 / P
    determinant = product2(one2 - a2 / P, one2 - a2 / N) - product2(ka1, a1) / (N * P)
    over = reciprocal2(determinant)
    c0 = product2(over, product2(first, one2 - a2 / N) + product2(second, ka1) / N)
    c3 = product2(over, product2(second, one2 - a2 / P) + product2(first, a1) / P)
    c1 = product2(np.outer(r1, r1), c0 + noise * one2)
    over_z = product(x, reciprocal(z_x))
    return [np.diag(product2(c, np.outer(over_z, over_z)))[1:] / rate**2 for c in (c0, c1, c3)]


@pytest.mark.parametrize(("P", "N"), [(12.0, 7.0), (5.0, 30.0), (9.0, inf), (inf, 9.0)])
def test_few_steps_of_gradient_descent_are_power_series(P: float, N: float) -> None:
    expected = series_of_descent(1.5, 1.25, 20, P, N, 0.3, 0.25, 8)
    found = evolve(Kernel(power_law(1.5, 1.25, 20), P, N), 0.3, 0.25 * np.arange(8.0), 0.25)
    for name, values in zip(("test_loss", "train_loss", "norm2"), expected, strict=True):
        np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-13)


def test_both_contours_of_discrete_time_agree_and_small_steps_are_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, times = Kernel(power_law(1.5, 1.25, 300), 120.0, 70.0), 0.3 * np.array([40.0, 50.0, 60.0])
    circle = evolve(kernel, 0.1, times, 0.3)
    monkeypatch.setattr(flow, "FEW_STEPS", 0)
    line = evolve(kernel, 0.1, times, 0.3)
    smaller, small, still = (evolve(kernel, 0.1, times, rate) for rate in (0.0003, 0.0006, None))
    for name in circle:
        np.testing.assert_allclose(circle[name], line[name], rtol=1e-9)
        np.testing.assert_allclose(2 * smaller[name] - small[name], still[name], rtol=1e-6)


# One pass


SGD: dict[str, Any] = {"dynamics": "one_pass_sgd"}


@pytest.mark.parametrize(("rate", "batch"), [(0.3, 4), (1.2, 20)])
def test_one_pass_at_infinite_width_is_the_recursion_of_each_mode(rate: float, batch: int) -> None:
    """With a rate of 1.2 the largest mode overshoots."""
    k = np.arange(1.0, 51.0)
    lam, w2, noise = k**-1.25, k**-0.25, 0.2
    u, mean = w2.copy(), np.ones(50)
    losses: list[float] = []
    norms: list[float] = []
    for _ in range(401):
        losses.append(float(lam @ u))
        norms.append(sqrt(max(float(np.sum(w2 - 2 * w2 * mean + u)), 0.0)))
        u = u * (1 - 2 * rate * lam + rate**2 * lam**2 * (1 + 1 / batch))
        u += rate**2 * lam * (losses[-1] + noise) / batch
        mean *= 1 - rate * lam
    steps = [*range(25), 40, 400]
    params = {"modes": 50, "noise_variance": noise, "learning_rate": rate, "batch_size": batch, **SGD}
    found = points(inf, [rate * n for n in steps], **params)
    assert column("test_loss", found) == pytest.approx([losses[n] for n in steps], rel=1e-10)
    assert column("train_loss", found) == pytest.approx([losses[n] + noise for n in steps], rel=1e-10)
    assert column("norm", found) == pytest.approx([norms[n] for n in steps], rel=1e-10, abs=1e-12)


def test_one_pass_at_finite_width_remembers_its_noise() -> None:
    """L(n) = F(n) + sum_m K(n-1-m) (L(m) + sigma^2), step by step, with F the descent on the population.

    K(j) is eta^2/B times the inverse of (C3/N) D1 + R3 R3' D2 with C3 = R3 R3' (z z' D1 + (C3/N) D2), the
    two-point equations of an impulse of noise; in |v|^2 it is tr H (1 - eta H)^2j, the inverse of S at step 2j.
    """
    N, noise, rate, batch, last = 60.0, 0.1, 0.5, 4, 20
    kernel = Kernel(power_law(1.5, 1.25, 200), inf, N)
    lam, of = kernel.modes.lam, kernel.modes

    def transformed(n: int) -> tuple[Complex, Complex]:
        z, weights = circle(np.array([float(n)]), rate, kernel.edge())
        return np.concatenate([z[0], np.conj(z[0])]), np.concatenate([weights[0], np.conj(weights[0])])

    def at(z: Complex) -> Complex:
        half = kernel.along(z[None, : len(z) // 2])[0]
        return np.concatenate([half, np.conj(half)])

    memory, of_norm = [], []
    for j in range(last):
        z, weights = transformed(j)
        kappa = at(z)
        r3 = kernel.at(kappa)[1]
        h = 1.0 / (r3[:, None] * (kappa[:, None] + lam))
        d1, d2 = ((h * weight) @ h.T for weight in (of.of_lam, of.of_lam2))
        rr, zz = np.outer(r3, r3), np.outer(z, z)
        c3 = rr * zz * d1 / (1 - rr * d2 / N)
        memory.append(rate**2 / batch * (weights @ (c3 / N * d1 + rr * d2) @ weights).real)
        z, weights = transformed(2 * j)
        total = (1.0 / (at(z)[:, None] + lam)) @ of.of_lam
        of_norm.append(rate**2 / batch * (weights @ total).real)
    descent = evolve(kernel, 0.0, rate * np.arange(last + 1.0), rate)
    losses: list[float] = []
    norms: list[float] = []
    for n in range(last + 1):
        noisy = np.array(losses) + noise
        losses.append(descent["test_loss"][n] + float(np.array(memory[:n])[::-1] @ noisy))
        norms.append(sqrt(descent["norm2"][n] + float(np.array(of_norm[:n])[::-1] @ noisy)))
    params = {
        "modes": 200,
        "width": N,
        "noise_variance": noise,
        "learning_rate": rate,
        "batch_size": batch,
        **SGD,
    }
    steps = [0, 1, 2, 5, 12, 13, 20]
    found = points(inf, [rate * n for n in steps], **params)
    assert column("test_loss", found) == pytest.approx([losses[n] for n in steps], rel=1e-9)
    assert column("norm", found) == pytest.approx([norms[n] for n in steps], rel=1e-9, abs=1e-12)


@pytest.mark.slow
def test_a_hundred_thousand_steps_of_one_pass_are_those_of_drawn_features() -> None:
    """The same memory, summed step by step over the eigenvalues of drawn kernels, one column a draw."""
    M, N, noise, rate, steps, draws = 1000, 300, 0.1, 0.1, 100_000, 6
    rng, k = np.random.default_rng(2), np.arange(1.0, M + 1)
    target = k**-0.75  # sqrt(lam) w
    values, learnt = np.empty((N, draws)), np.empty((N, draws))
    for draw in range(draws):
        left, singular, _ = np.linalg.svd(
            k[:, None] ** -0.625 * rng.standard_normal((M, N)) / sqrt(N), full_matrices=False
        )
        values[:, draw], learnt[:, draw] = singular**2, (left.T @ target) ** 2
    rest = target @ target - learnt.sum(axis=0)
    shrink, kick, excited = (1 - rate * values) ** 2, rate**2 * values**2, np.zeros_like(values)
    for _ in range(steps):
        excited = shrink * excited + kick * ((learnt + excited).sum(axis=0) + rest + noise)
        learnt = learnt * shrink
    simulated = (learnt + excited).sum(axis=0) + rest
    fed_back = (simulated - rest) / (simulated + noise)
    (still,) = points(inf, [inf], modes=M, width=N)
    for time in (rate * steps, inf):
        (found,) = points(inf, [time], modes=M, width=N, noise_variance=noise, learning_rate=rate, **SGD)
        loss = found["test_loss"]
        assert abs(loss - simulated.mean()) < 3 * simulated.std(ddof=1) / sqrt(draws)
        expected = (loss - still["test_loss"]) / (loss + noise)
        assert abs(expected - fed_back.mean()) < 3 * fed_back.std(ddof=1) / sqrt(draws) < 0.025 * expected


def test_one_pass_ends_although_its_noise_is_fed_back() -> None:
    (found,) = points(inf, [1e4], width=300, noise_variance=0.1, learning_rate=0.1, **SGD)
    assert found["test_loss"] == pytest.approx(0.43646, abs=5e-6)


@pytest.mark.parametrize(
    "params", [{"modes": 100}, {"modes": 100, "width": 40}, {"width": 40}, {"modes": 30, "width": 40}]
)
def test_one_pass_comes_to_rest_at_its_limit(params: dict[str, Any]) -> None:
    late, limit = points(inf, [1e7, inf], noise_variance=0.1, batch_size=4, **params, **SGD)
    for name in ("test_loss", "train_loss", "norm"):
        assert late[name] == pytest.approx(limit[name], rel=1e-7)
    (never,) = points(inf, [inf], noise_variance=0.1, **SGD)
    assert never["norm"] == inf


def test_no_predictor_is_better_than_bayes() -> None:
    """The least mean square error by the posterior of w, drawn from its prior, on random inputs."""
    M, P, noise = 40, 30, 0.2
    tau = np.arange(1.0, M + 1) ** -1.5
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(400):
        inputs = rng.standard_normal((P, M))  # y = sum_k c_k x_k + noise, c_k ~ N(0, tau_k)
        errors.append(np.trace(np.linalg.inv(np.diag(1 / tau) + inputs.T @ inputs / noise)))
    params = RandomFeaturesParams(modes=M, noise_variance=noise)
    bayes = RANDOM_FEATURES.compared["bayes"].value
    assert bayes(params, {"examples": P}) == pytest.approx(np.mean(errors), rel=0.03)
    least = min(
        column("test_loss", points(P, np.geomspace(1, 100, 20).tolist(), modes=M, noise_variance=noise))
    )
    assert 0.9 * least < bayes(params, {"examples": P}) < least
    assert bayes(params, {"examples": inf}) == 0
    assert bayes(RandomFeaturesParams(modes=M), {"examples": 50}) == 0


# Simulation


@pytest.mark.slow
def test_a_simulation_of_flow_gives_the_same() -> None:
    """Deviations are of order 1/N and those of the draws."""
    M, N, P, noise, times = 150, 60, 100, 0.1, np.array([1.0, 10.0, 200.0])
    lam = np.arange(1.0, M + 1) ** -1.25
    w = np.sqrt(np.arange(1.0, M + 1) ** -1.5 / lam)
    rng = np.random.default_rng(0)
    sums = np.zeros((3, len(times)))
    for _ in range(draws := 300):
        features = rng.standard_normal((N, M)) / sqrt(N)
        inputs = rng.standard_normal((P, M)) * np.sqrt(lam)
        y = inputs @ w + sqrt(noise) * rng.standard_normal(P)
        X = inputs @ features.T / sqrt(P)  # (P, N)
        values, vectors = np.linalg.eigh(X.T @ X)
        along = vectors.T @ (X.T @ y) / sqrt(P)
        for i, t in enumerate(times):
            v = vectors @ (along * -np.expm1(-values * t) / values)
            e = w - features.T @ v
            sums[:, i] += lam @ e**2, np.mean((y - sqrt(P) * X @ v) ** 2), v @ v
    found = points(P, times.tolist(), modes=M, width=N, noise_variance=noise)
    test, train, norm2 = sums / draws
    np.testing.assert_allclose(column("test_loss", found), test, rtol=0.03)
    np.testing.assert_allclose(column("train_loss", found), train, rtol=0.03)
    np.testing.assert_allclose(np.square(column("norm", found)), norm2, rtol=0.03)


@pytest.mark.slow
def test_a_simulation_of_one_pass_gives_the_same() -> None:
    M, N, noise, rate, batch, steps = 60, 80, 0.1, 0.4, 8, 60
    lam = np.arange(1.0, M + 1) ** -1.25
    w = np.sqrt(np.arange(1.0, M + 1) ** -1.5 / lam)
    rng = np.random.default_rng(1)
    losses, squares = [], []
    for _ in range(400):
        features, v = rng.standard_normal((N, M)) / sqrt(N), np.zeros(N)
        for _ in range(steps):
            inputs = rng.standard_normal((batch, M)) * np.sqrt(lam)
            error = inputs @ (w - features.T @ v) + sqrt(noise) * rng.standard_normal(batch)
            v += rate * features @ (inputs.T @ error) / batch
        losses.append(lam @ (w - features.T @ v) ** 2)
        squares.append(v @ v)
    (found,) = points(
        inf,
        [rate * steps],
        modes=M,
        width=N,
        noise_variance=noise,
        dynamics="one_pass_sgd",
        learning_rate=rate,
        batch_size=batch,
    )
    assert found["test_loss"] == pytest.approx(np.mean(losses), rel=0.04)
    assert found["norm"] ** 2 == pytest.approx(np.mean(squares), rel=0.03)


# Its page


def test_the_page_shows_a_program_that_runs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "random_features.md").read_text()
    names: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], names)
    assert list(names["exact"].columns) == ["examples", "time", "test_loss", "train_loss", "norm"]
    assert len(names["exact"]) == 6


@pytest.mark.slow
def test_the_commands_of_the_page_put_trained_networks_on_exact_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer runs and steps than the page has, and so without laws."""
    page = (Path(__file__).parents[3] / "docs" / "random_features.md").read_text()
    block = page.partition("<!-- commands: trained -->\n```sh\n")[2].partition("```")[0]
    run, analyse = (shlex.split(line)[1:] for line in block.splitlines())
    assert analyse == ["analyse", "random_features-small"]
    fewer = [f"--set={key}" for key in ("train_size=[20,40]", "seed={count: 2}", "steps=20")]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    trained = CliRunner().invoke(main, [*run, *fewer, "--max-parallel", "1", "--stack", "4"])
    assert trained.exit_code == 0, trained.output
    (found,) = compare_with_counterparts(StudyStore.open(analyse[1], None, "add"), tmp_path, {})
    assert "trained runs against the theory random_features" in found.text
    drawn = {path.stem for path in (found.folder / "figures").iterdir()}
    assert sum(name.startswith("test_loss_against_norm") for name in drawn) == 2
    assert (found.folder / "report.html").read_text().count('<img src="data:') == 10


# What it refuses


@pytest.mark.parametrize(
    ("examples", "times", "params", "message"),
    [
        (100, [inf], {"width": 100}, "diverges at infinite time"),
        (100, [1e13], {}, "later than 1e"),
        (0.5, [1.0], {}, "examples = 0.5 is outside"),
        (100, [-1.0], {}, "time = -1 is outside"),
        (100, [0.55], {"dynamics": "gradient_descent"}, "no whole number of steps of learning_rate = 0.1"),
        (100, [2000.0], {"dynamics": "gradient_descent", "learning_rate": 2.0}, "largest eigenvalue"),
        (100, [inf], {"dynamics": "gradient_descent", "learning_rate": 2.0}, "gradient descent diverges"),
        (100, [1.0], {"dynamics": "one_pass_sgd"}, "never sees an example twice"),
        (inf, [1.5], {"learning_rate": 1.5, **SGD}, "one-pass SGD diverges"),
        (inf, [3.0], {"learning_rate": 1.5, "width": 20, **SGD}, "one-pass SGD diverges"),
        (inf, [380.0], {"learning_rate": 1.9, "batch_size": 1000, **SGD}, "its alternating part still counts"),
    ],
)
def test_what_has_no_answer_is_refused(
    examples: float, times: list[float], params: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as found:
        points(examples, times, **params)
    assert message in str(found.value)


def test_what_two_contours_disagree_about_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "FEWER", 8)
    with pytest.raises(NormlawError, match=r"test_loss at examples = 100, time = 10 is known to"):
        points(100, [10.0])


def test_the_start_is_the_target_and_the_norm_grows() -> None:
    found = points(50, [0.0, 1.0, 10.0], noise_variance=0.5, width=40)
    assert found[0]["test_loss"] == pytest.approx(zeta(1.5), rel=1e-9)
    assert found[0]["train_loss"] == pytest.approx(zeta(1.5) + 0.5, rel=1e-9)
    assert column("norm", found)[0] == 0 < found[1]["norm"] < found[2]["norm"]
    assert talbot(np.array([1.0]))[0].imag.min() > 0


# What it says of trained runs

RUN = {
    "architecture": "random_features",
    "architecture.init_norm": "1e-06",
    "architecture.width": "None",
    "dataset": "power_law_regression",
    "dataset.a": "2.0",
    "dataset.b": "2.0",
    "dataset.modes": "100",
    "dataset.noise_variance": "0.5",
    "loss": "squared",
    "trainer.name": "descent",
    "optimizer.name": "sgd",
    "optimizer.learning_rate": "0.25",
    "optimizer.momentum": "0.0",
    "optimizer.weight_decay": "0.0",
    "learning_rate_schedule.name": "constant",
    "batch_size": "1000",
    "train_size": "200",
    "seed": "0",
}


def test_it_knows_where_a_trained_run_is_to_lie() -> None:
    assert RANDOM_FEATURES.of_run is not None
    found = RANDOM_FEATURES.of_run(RUN)
    assert found is not None
    assert (found.held, found.axis, found.per_step) == ({"examples": 200.0}, "time", 0.5)
    assert found.params["dynamics"] == "gradient_descent"
    assert found.params["width"] == inf
    once = RANDOM_FEATURES.of_run(
        {**RUN, "sampling": "one_pass", "batch_size": "4", "architecture.width": "30"}
    )
    assert once is not None
    assert once.held == {"examples": inf}
    assert (once.params["dynamics"], once.params["batch_size"], once.params["width"]) == ("one_pass_sgd", 4, 30)


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": "100"},
        {"loss": "cross_entropy"},
        {"optimizer.momentum": "0.9"},
        {"optimizer.name": "adam"},
        {"learning_rate_schedule.name": "cosine"},
        {"architecture.init_norm": "1.0"},
        {"dataset": "digits"},
    ],
)
def test_it_is_not_about_other_runs(changes: dict[str, str]) -> None:
    assert RANDOM_FEATURES.of_run is not None
    assert RANDOM_FEATURES.of_run({**RUN, **changes}) is None


def test_exponents_are_known_where_the_norm_grows_without_end() -> None:
    assert RANDOM_FEATURES.exponents is not None
    found = RANDOM_FEATURES.exponents(RandomFeaturesParams(a=1.5, b=1.25, noise_variance=0.1))
    assert found["gamma_1"] * found["gamma_2"] == pytest.approx(found["gamma_pred"]) == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="the norm converges"):
        RANDOM_FEATURES.exponents(RandomFeaturesParams(a=3, b=1.25, noise_variance=0.1))
    with pytest.raises(InputError, match="infinite width"):
        RANDOM_FEATURES.exponents(RandomFeaturesParams(noise_variance=0.1, width=20))
