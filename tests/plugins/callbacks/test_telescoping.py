"""The telescoped network against exact smoothers, finite differences and the network itself."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from normlaw_plugins.callbacks.path_length import PATH_LENGTH
from normlaw_plugins.callbacks.telescope.jacobian import jacobian
from normlaw_plugins.callbacks.telescoping import TELESCOPING, Telescope, TelescopingParams
from normlaw_registry import InputError, Params, Task
from normlaw_registry.testing import followed, short_run
from normlaw_registry.testing.followed_run import ShortRun

TWO = Task(input_shape=(6,), num_classes=2)


def linear(scale: float = 0.0) -> nn.Module:
    layer = nn.Linear(6, 1, bias=False)
    nn.init.constant_(layer.weight, 0.1 * scale)
    return nn.Sequential(layer)


def tanh(width: int = 12, outputs: int = 1) -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, outputs))


def telescoped(run: ShortRun, **params: Any) -> tuple[Telescope, dict[str, float]]:
    done = followed(TELESCOPING, TelescopingParams(**params), run)
    assert isinstance(done.follower, Telescope)
    return done.follower, dict(done.metrics[-1])


def full_batch(network: nn.Module, rate: float = 0.05, steps: int = 20, **changes: Any) -> ShortRun:
    options: dict[str, Any] = {"loss": "mse", "momentum": 0.0, "train_size": 24, "batch_size": 24} | changes
    return short_run(network, TWO, learning_rate=rate, total_steps=steps, **options)


@pytest.mark.parametrize("steps", [1, 7, pytest.param(400, marks=pytest.mark.slow)])
def test_of_a_linear_network_they_are_those_of_its_exact_smoother(steps: int) -> None:
    """Gradient descent from zero has S = X0 V diag((1 - (1 - 2 g s^2 / n)^t) / s) U^T, X = U diag(s) V^T."""
    rate = 0.05
    run = full_batch(linear(), rate, steps)
    follower, metrics = telescoped(run, test_examples=10)
    train, test = (split.inputs.double() for split in (run.train(), run.test()))
    u, s, vh = torch.linalg.svd(train, full_matrices=False)  # (n, 6), (6,), (6, 6)
    kept = 1 - (1 - 2 * rate * s.square() / len(train)) ** steps  # (6,)
    exact = torch.cat([train, test[:10]]) @ vh.T @ torch.diag(kept / s) @ u.T
    torch.testing.assert_close(follower.smoother.matrix[:, :-1], exact, rtol=0, atol=1e-13)
    assert metrics["parameters_train"] == pytest.approx(float(kept.square().sum()), rel=1e-12)
    assert metrics["parameters_test"] == pytest.approx(2.4 * float(exact[24:].square().sum()), rel=1e-12)
    assert metrics["error_train"] < 1e-5  # the network itself computes in float32
    if steps == 400:
        assert metrics["parameters_train"] == pytest.approx(6, abs=1e-3)  # the rank of the inputs


def test_small_steps_come_to_gradient_flow_with_decay_to_ridge() -> None:
    """dw/dt = -(2/n) X^T (X w - y) - d w, so that S -> X (X^T X + (d n / 2) 1)^-1 X^T."""
    rate, decay, steps = 0.1, 1.0, 200
    run = full_batch(linear(), rate, steps)
    for group in run.optimizer.param_groups:
        group["weight_decay"] = decay
    _, metrics = telescoped(run)
    s = torch.linalg.svdvals(run.train().inputs.double())
    ridge = s.square() / (s.square() + decay * len(run.train()) / 2)
    assert metrics["parameters_train"] == pytest.approx(float(ridge.square().sum()), rel=1e-9)
    flow = full_batch(linear(), 5e-3, 100)  # to time 1/2, without decay
    _, early = telescoped(flow)
    exact = sum((1 - exp(-(float(x) ** 2) / 24)) ** 2 for x in s)
    assert early["parameters_train"] == pytest.approx(exact, rel=2e-2)  # first order in the rate


OPTIMISERS: dict[str, Any] = {
    "momentum": lambda w: torch.optim.SGD(w, lr=0.02, momentum=0.9),
    "momentum and decay": lambda w: torch.optim.SGD(w, lr=0.02, momentum=0.8, weight_decay=0.1),
    "decay": lambda w: torch.optim.SGD(w, lr=0.05, weight_decay=0.1),
    "adam": lambda w: torch.optim.Adam(w, lr=0.01, weight_decay=0.1),
    "adamw": lambda w: torch.optim.AdamW(w, lr=0.01, weight_decay=0.5),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_linear_network_is_what_is_telescoped_whatever_the_optimiser(name: str) -> None:
    """Nothing is left out there but Adam's second moment, which is taken from the run."""
    network = linear(1.0)
    run = full_batch(network, steps=60, batch_size=8)
    object.__setattr__(run, "optimizer", OPTIMISERS[name](network.parameters()))
    follower, metrics = telescoped(run)
    assert metrics["error_train"] < 2e-6
    assert metrics["error_test"] < 2e-6
    assert metrics["parameters_train"] > 0.5
    if "adam" not in name:  # then S is the derivative of the outputs in the labels
        assert_derivative(name, follower)


def assert_derivative(name: str, follower: Telescope) -> None:
    """Compare a column of S with finite differences: runs whose first target is moved, in float64."""

    def outputs(moved: float) -> Tensor:
        network = linear(1.0).double()
        run = full_batch(network, steps=60, batch_size=8)
        inputs, targets = run.train().inputs, 2.0 * run.train().labels.double() - 1.0
        targets[0] += moved
        optimizer = OPTIMISERS[name](network.parameters())
        for step in range(60):
            rows = slice(step * 8 % 24, step * 8 % 24 + 8)
            optimizer.zero_grad()
            (network(inputs[rows])[:, 0] - targets[rows]).square().mean().backward()
            optimizer.step()
        return network(inputs).detach()[:, 0]

    difference = (outputs(0.5) - outputs(-0.5)) / 1.0  # the outputs are affine in the target
    torch.testing.assert_close(follower.smoother.matrix[:24, 0], difference, rtol=0, atol=1e-7)


def test_the_first_step_is_exact_for_any_network() -> None:
    """p_test = (n/m) (2 g / n)^2 |K(X0, X)|_F^2."""
    network = tanh()
    run = full_batch(network, rate=0.1, steps=1)
    inputs = torch.cat([run.train().inputs, run.test().inputs])
    weights = dict(network.named_parameters())
    rows = []
    for one in inputs:  # by plain backward passes, not as the callback does
        gradients = torch.autograd.grad(network(one[None])[0, 0], list(weights.values()))
        rows.append(torch.cat([g.flatten() for g in gradients]))
    by_hand = torch.stack(rows).double()
    torch.testing.assert_close(jacobian(network, inputs), by_hand, rtol=0, atol=1e-6)
    _, metrics = telescoped(run)
    kernel = by_hand[24:] @ by_hand[:24].T
    assert metrics["parameters_test"] == pytest.approx((0.2 / 24) ** 2 * float(kernel.square().sum()), rel=1e-5)


@pytest.mark.slow
def test_errors_halve_with_the_rate_at_fixed_time() -> None:
    def errors(name: str, rate: float) -> float:
        network = tanh()
        run = full_batch(network, rate=rate, steps=round(4 / rate))
        if name == "adam":
            run = full_batch(network, rate=rate / 10, steps=round(4 / rate))
            object.__setattr__(run, "optimizer", torch.optim.Adam(network.parameters(), lr=rate / 10))
        return telescoped(run)[1]["error_test"]

    for name, most in (("sgd", 2.3), ("adam", 4.0)):  # Adam's memory is shorter, in time, for small rates
        coarse, fine = errors(name, 0.1), errors(name, 0.05)
        assert 1.7 < coarse / fine < most, name
        assert coarse < 2e-2, name


def test_classes_are_told_apart() -> None:
    """Several outputs that share weights: S has a column for each label of each class; errors stay small."""
    task = Task(input_shape=(6,), num_classes=3)
    run = short_run(tanh(10, 3), task, loss="mse", learning_rate=0.1, momentum=0.0, total_steps=60)
    follower, metrics = telescoped(run)
    assert follower.smoother.matrix.shape == ((24 + 24) * 3, 24 * 3 + 1)
    assert metrics["error_train"] < 2e-3
    assert 0.1 < metrics["parameters_train"] < 72


def test_the_order_of_the_examples_changes_nothing_but_columns() -> None:
    run, other = full_batch(tanh()), full_batch(tanh())
    order = torch.randperm(24, generator=torch.Generator().manual_seed(1))
    split = other.train()
    object.__setattr__(split, "inputs", split.inputs[order])
    object.__setattr__(split, "labels", split.labels[order])
    (one, metrics), (two, permuted) = telescoped(run), telescoped(other)
    assert permuted == pytest.approx(metrics, rel=1e-4)
    torch.testing.assert_close(
        one.smoother.matrix[24:, :-1][:, order], two.smoother.matrix[24:, :-1], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (
            lambda: full_batch(tanh(), loss="cross_entropy"),
            "that of `loss: cross_entropy` is not: give `loss: squared`",
        ),
        (
            lambda: full_batch(nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))),
            "running statistics",
        ),
        (
            lambda: full_batch(nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.5), nn.Linear(4, 1))),
            "as dropout does",
        ),
        (
            lambda: replace(full_batch(tanh()), changed_by=("shrink",)),
            "; shrink changes this run's weights or rates",
        ),
        (lambda: with_optimiser(torch.optim.Adagrad), "not for what this run has (Adagrad): give one of these"),
        (lambda: with_optimiser(torch.optim.SGD, momentum=0.9, nesterov=True), "(SGD with nesterov)"),
    ],
)
def test_what_has_no_effective_parameters_is_refused(run: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        telescoped(run())
    assert said in str(caught.value)


def with_optimiser(kind: Any, **options: Any) -> ShortRun:
    run = full_batch(tanh())
    object.__setattr__(run, "optimizer", kind(run.network.parameters(), lr=0.1, **options))
    return run


def test_what_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(
        InputError, match=r"of 9,601 weights on 24 training and 24 test examples take 0\.00343 GiB"
    ):
        telescoped(full_batch(tanh(1200)), memory=0.003)


def test_the_way_of_the_weights_by_hand() -> None:
    """Plain gradient descent on one weight, which moves by the rate times the gradient each time."""
    network = nn.Sequential(nn.Linear(1, 1, bias=False))
    task = Task(input_shape=(1,), num_classes=2)
    run = short_run(network, task, loss="mse", learning_rate=0.3, momentum=0.0, batch_size=8, total_steps=5)
    x, y = run.train().inputs.double()[:, 0], 2.0 * run.train().labels.double() - 1.0
    w = start = float(next(network.parameters()).detach())
    length, gradient = 0.0, 0.0
    for step in range(5):
        rows = slice(step * 8 % 24, step * 8 % 24 + 8)
        gradient = float((2 * x[rows] * (w * x[rows] - y[rows])).mean())
        w, length = w - 0.3 * gradient, length + abs(0.3 * gradient)
    metrics = followed(PATH_LENGTH, Params(), run).metrics
    assert dict(metrics[0]) == {"length": 0.0, "distance": 0.0}
    expected = {"length": length, "distance": abs(w - start), "gradient": abs(gradient)}
    assert dict(metrics[-1]) == pytest.approx(expected, rel=1e-4)
