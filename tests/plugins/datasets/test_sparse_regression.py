"""The target, the noise and the exact loss of `sparse_regression`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from normlaw_plugins.datasets.sparse_regression import SPARSE_REGRESSION, SparseRegressionParams
from normlaw_registry import LoadContext, Splits
from normlaw_registry.testing import check_component


def load(seed: int = 0, train_size: int = 20, **params: Any) -> Splits:
    context = LoadContext(seed=seed, train_size=train_size, data_dir=Path())
    return SPARSE_REGRESSION.load(SparseRegressionParams(**params), context)


def target(found: Splits) -> Tensor:
    """Return beta* by least squares on the test examples, which have no noise."""
    inputs, labels = found.test.inputs.double(), found.test.labels.double()
    return torch.linalg.lstsq(inputs, labels).solution[:, 0] * inputs.shape[1] ** 0.5


def test_it_keeps_the_contract() -> None:
    check_component(SPARSE_REGRESSION, params=SparseRegressionParams(dimension=10, noise_variance=0.1))


def test_few_entries_of_the_target_are_not_zero_and_all_of_one_size() -> None:
    found = [target(load(seed, dimension=30, sparsity=0.2)) for seed in range(2)]
    for beta in found:
        sizes = beta.abs().sort().values
        torch.testing.assert_close(sizes[:24], torch.zeros(24).double(), rtol=0, atol=1e-5)
        torch.testing.assert_close(sizes[24:], torch.full((6,), 5**0.5).double(), rtol=1e-5, atol=0)
    assert not torch.equal(found[0].abs() > 1, found[1].abs() > 1)


def test_noise_is_on_training_targets() -> None:
    found = load(train_size=20_000, dimension=30, sparsity=0.2, noise_variance=0.25)
    clean = found.train.inputs.double() @ target(found) / 30**0.5
    assert float((found.train.labels[:, 0] - clean).var()) == pytest.approx(0.25, rel=0.04)
    assert float(clean.var()) == pytest.approx(1.0, rel=0.04)


def test_the_exact_loss_is_that_of_many_examples() -> None:
    found = load(dimension=5, sparsity=0.4, test_size=200_000)
    network = nn.Linear(5, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[0.5, -0.2, 0.1, 0.3, -0.4]]))
        network.bias.fill_(0.3)
        sampled = float((network(found.test.inputs) - found.test.labels).square().mean())
    exact = found.population_squared_error
    assert exact is not None
    assert exact(network) == pytest.approx(sampled, rel=0.01)
    assert exact(nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1))) is None


def test_a_target_without_entries_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"sparsity 0\.01 leaves none of 20 entries"):
        SparseRegressionParams(dimension=20, sparsity=0.01)
