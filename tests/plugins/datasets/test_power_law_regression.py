"""The spectra, the noise, the exact loss and the endless sequence of `power_law_regression`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from normlaw_plugins.datasets.linear_response import affine
from normlaw_plugins.datasets.power_law_regression import POWER_LAW_REGRESSION, PowerLawRegressionParams
from normlaw_registry import LoadContext, Splits
from normlaw_registry.testing import check_component


def load(seed: int = 0, train_size: int = 20, **params: Any) -> Splits:
    context = LoadContext(seed=seed, train_size=train_size, data_dir=Path())
    return POWER_LAW_REGRESSION.load(PowerLawRegressionParams(**params), context)


def student(*weights: float, offset: float = 0.0) -> nn.Module:
    linear = nn.Linear(len(weights), 1)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([weights]))
        linear.bias.fill_(offset)
    return nn.Sequential(nn.Flatten(), linear)


def test_it_keeps_the_contract() -> None:
    check_component(POWER_LAW_REGRESSION, params=PowerLawRegressionParams(modes=6, noise_variance=0.1))


def test_inputs_and_targets_have_their_spectra() -> None:
    found = load(train_size=40_000, a=1.5, b=1.25, modes=3, noise_variance=0.25)
    k = torch.arange(1.0, 4.0)
    torch.testing.assert_close(found.train.inputs.var(dim=0), k**-1.25, rtol=0.03, atol=0.0)
    clean = found.train.inputs @ k**-0.125  # w_k = k^((b - a)/2)
    residual = found.train.labels[:, 0] - clean
    assert float(residual.var()) == pytest.approx(0.25, rel=0.03)
    assert float(clean.var()) == pytest.approx(float((k**-1.5).sum()), rel=0.03)
    torch.testing.assert_close(found.test.labels[:, 0], found.test.inputs @ k**-0.125)


def test_the_exact_loss_is_that_of_many_examples() -> None:
    found = load(modes=3, test_size=200_000)
    network = student(0.5, -0.2, 0.1, offset=0.3)
    exact = found.population_squared_error
    assert exact is not None
    with torch.no_grad():
        sampled = float((network(found.test.inputs) - found.test.labels).square().mean())
    assert exact(network) == pytest.approx(sampled, rel=0.01)
    assert exact(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))) is None


def test_a_network_is_read_as_an_affine_map_and_left_as_it_is() -> None:
    network = student(0.5, -2.0, offset=0.25)
    found = affine(network, 2)
    assert found is not None
    slope, offset = found
    assert slope.tolist() == [[0.5, -2.0]]
    assert offset.tolist() == [0.25]
    assert all(weight.grad is None for weight in network.parameters())


def test_fresh_examples_go_on_over_blocks_and_are_no_training_examples() -> None:
    fresh = load(modes=2).fresh
    assert fresh is not None
    whole = fresh(1000, 2100)
    assert torch.equal(whole.inputs[20:30], fresh(1020, 1030).inputs)
    assert len(whole.inputs.unique(dim=0)) == 1100
    other = load(seed=1, modes=2).fresh
    assert other is not None
    assert not torch.equal(other(0, 5).inputs, fresh(0, 5).inputs)
