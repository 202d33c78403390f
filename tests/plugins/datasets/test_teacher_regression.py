"""Teachers with noise: spectra, exact losses, and the risk of least squares in closed form."""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from normlaw_plugins.architectures.mlp import MLP, MLPParams
from normlaw_plugins.datasets.rectified_response import mean_square, rectified
from normlaw_plugins.datasets.teacher_regression import (
    TEACHER_REGRESSION,
    TeacherRegressionParams,
    spectrum,
    weights,
)
from normlaw_registry import LoadContext, Splits
from normlaw_registry.testing import check_component

KINDS = ("linear", "two_layer")


def load(seed: int = 0, train_size: int = 20, **params: Any) -> Splits:
    context = LoadContext(seed=seed, train_size=train_size, data_dir=Path())
    return TEACHER_REGRESSION.load(TeacherRegressionParams(**params), context)


def exact(splits: Splits, network: nn.Module) -> float | None:
    assert splits.population_squared_error is not None
    return splits.population_squared_error(network)


def mlp(splits: Splits, *hidden: int, bias: bool = False) -> nn.Module:
    return MLP.build(MLPParams(hidden=hidden, bias=bias), splits.task)


def student(slope: torch.Tensor) -> nn.Module:
    linear = nn.Linear(slope.numel(), 1, bias=False)
    with torch.no_grad():
        linear.weight.copy_(slope.reshape(1, -1))
    return linear


@pytest.mark.parametrize("teacher", KINDS)
def test_it_keeps_the_contract(teacher: Any) -> None:
    check_component(TEACHER_REGRESSION, params=TeacherRegressionParams(teacher=teacher, dimension=5))


@pytest.mark.parametrize("teacher", KINDS)
def test_inputs_have_their_spectrum_and_targets_their_size_and_noise(teacher: Any) -> None:
    params = TeacherRegressionParams(teacher=teacher, dimension=4, decay=1.5, noise_variance=0.25)
    found = load(train_size=60_000, test_size=60_000, **params.model_dump(exclude={"test_size"}))
    i = torch.arange(1.0, 5.0)
    torch.testing.assert_close(found.train.inputs.var(dim=0), i**-1.5, rtol=0.03, atol=0.0)
    B, A = (part.float() for part in weights(params))
    for split in (found.train, found.test):
        fields = split.inputs @ B.T
        clean = (fields if teacher == "linear" else fields.relu()) @ A
        assert float(clean.square().mean()) == pytest.approx(1.0, rel=0.03)
        assert float((split.labels[:, 0] - clean).var()) == pytest.approx(0.25, rel=0.03)


def test_the_teacher_itself_has_the_noise_as_its_loss_and_nothing_has_less() -> None:
    linear = TeacherRegressionParams(dimension=6, noise_variance=0.3)
    found = load(**linear.model_dump())
    B, A = weights(linear)
    assert exact(found, student(A[0] * B[0])) == pytest.approx(0.3, rel=1e-10)
    assert exact(found, student(torch.zeros(6))) == pytest.approx(1.3)
    layers = TeacherRegressionParams(teacher="two_layer", dimension=6, hidden=3, noise_variance=0.3)
    found = load(**layers.model_dump())
    network = mlp(found, 3)
    B, A = weights(layers)
    with torch.no_grad():
        network[1].weight.copy_(B)  # type: ignore[index]
        network[3].weight.copy_(A[None])  # type: ignore[index]
    assert exact(found, network) == pytest.approx(0.3, rel=1e-6)
    silent = mlp(found, 3)
    nn.init.zeros_(silent[3].weight)  # type: ignore[index]
    assert exact(found, silent) == pytest.approx(1.3)


def test_least_squares_has_the_excess_risk_of_gaussian_designs() -> None:
    """Its mean is sigma^2 N / (n - N - 1) for any covariance (an inverse Wishart matrix); 400 draws."""
    N, n, noise = 5, 16, 0.5
    excess = []
    for seed in range(400):
        found = load(seed=seed, train_size=n, dimension=N, decay=2.0, noise_variance=noise, test_size=1)
        x, y = (part.double() for part in (found.train.inputs, found.train.labels))
        value = exact(found, student(torch.linalg.lstsq(x, y).solution))
        assert value is not None
        excess.append(value - noise)
    error = np.std(excess) / len(excess) ** 0.5
    assert abs(np.mean(excess) - noise * N / (n - N - 1)) < 4 * error
    assert error < 0.05 * noise


def test_the_exact_loss_of_rectified_networks_is_that_of_many_examples() -> None:
    found = load(teacher="two_layer", dimension=5, hidden=4, test_size=200_000)
    torch.manual_seed(0)
    for network in (mlp(found, 7), nn.Sequential(nn.Linear(5, 3, bias=False), nn.ReLU(), nn.Linear(3, 1))):
        with torch.no_grad():
            sampled = float((network(found.test.inputs) - found.test.labels).square().mean())
        assert exact(found, network) == pytest.approx(sampled, rel=0.01)


def test_the_mean_square_of_one_and_of_two_opposite_units_is_that_of_paper_and_pencil() -> None:
    lam = torch.tensor([4.0], dtype=torch.float64)
    one, both = (torch.tensor(w, dtype=torch.float64) for w in ([[1.0]], [[1.0], [-1.0]]))
    ones = torch.ones(2, dtype=torch.float64)
    assert mean_square(one, ones[:1], 0.0, lam) == pytest.approx(2.0)  # half of E x^2 = 4
    assert mean_square(both, ones, 0.0, lam) == pytest.approx(4.0)  # |x|^2
    assert mean_square(both, -ones, 1.0, lam) == pytest.approx(4 + 1 - 2 * 2 * (2 / pi) ** 0.5)  # (1 - |x|)^2
    assert mean_square(torch.zeros(1, 1).double(), ones[:1], 3.0, lam) == pytest.approx(9.0)


def test_networks_of_another_form_are_measured_on_the_test_set() -> None:
    linear, layers = load(dimension=5), load(teacher="two_layer", dimension=5)
    assert exact(linear, mlp(linear, 4)) is None
    for network in (mlp(layers), mlp(layers, 4, 4), mlp(layers, 4, bias=True), student(torch.ones(5))):
        assert exact(layers, network) is None
    assert rectified(nn.Sequential(nn.Linear(5, 2, bias=False), nn.ReLU(), nn.Linear(2, 3))) is None


def test_a_teacher_has_a_number_and_runs_have_examples_of_their_own() -> None:
    zero, other = (TeacherRegressionParams(dimension=9, number=number) for number in (0, 1))
    assert not torch.equal(weights(zero)[0], weights(other)[0])
    assert spectrum(zero).tolist() == pytest.approx([1 / i for i in range(1, 10)])
    first, second = (load(seed=seed, dimension=9) for seed in (0, 1))
    assert not first.train.inputs.equal(second.train.inputs)
    assert not first.test.labels.equal(second.test.labels)
