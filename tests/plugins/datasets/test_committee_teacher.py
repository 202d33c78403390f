"""The spectrum, the teacher and the exact loss of `committee_teacher`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from normlaw_plugins.architectures.committee import COMMITTEE, CommitteeParams
from normlaw_plugins.datasets.committee_teacher import COMMITTEE_TEACHER, CommitteeTeacherParams
from normlaw_registry import InputError, LoadContext, Splits, validate_params
from normlaw_registry.testing import check_component


def load(seed: int = 0, train_size: int = 20, **params: Any) -> Splits:
    context = LoadContext(seed=seed, train_size=train_size, data_dir=Path())
    return COMMITTEE_TEACHER.load(CommitteeTeacherParams(**params), context)


def test_it_keeps_the_contract() -> None:
    check_component(COMMITTEE_TEACHER, params=CommitteeTeacherParams(N=6, L=3))


def test_inputs_have_a_power_law_spectrum_of_mean_one() -> None:
    variances = load(train_size=40_000, N=6, L=3, beta=0.5).train.inputs.var(dim=0)
    powers = torch.tensor([1.0, 1.0, 2.0**-1.5, 2.0**-1.5, 3.0**-1.5, 3.0**-1.5])
    torch.testing.assert_close(variances, powers / powers.mean(), rtol=0.04, atol=0.0)


@pytest.mark.parametrize("activation", ["erf", "linear"])
def test_a_teacher_as_it_is_drawn_gives_the_targets(activation: Any) -> None:
    """A committee with the teacher's weights makes no error."""
    from normlaw_plugins.datasets.committee_teacher import teacher

    found = load(seed=3, N=40, L=8, M=3, activation=activation)
    B = teacher(3, 40, 3)
    network = COMMITTEE.build(CommitteeParams(K=3, activation=activation), found.task)
    weight = next(network.parameters())
    with torch.no_grad():
        weight.copy_(torch.from_numpy(B / 40**0.5))
        torch.testing.assert_close(network(found.train.inputs), found.train.labels, rtol=1e-4, atol=1e-5)
    exact = found.population_squared_error
    assert exact is not None
    assert exact(network) == pytest.approx(0.0, abs=1e-6)
    assert float(torch.from_numpy(B).square().mean()) == pytest.approx(1.0, rel=0.3)


@pytest.mark.parametrize(("activation", "K"), [("erf", 2), ("erf", 5), ("linear", 2)])
def test_the_exact_loss_is_that_of_many_examples(activation: Any, K: int) -> None:
    torch.manual_seed(0)
    found = load(N=8, L=4, M=3, activation=activation, test_size=200_000)
    network = COMMITTEE.build(CommitteeParams(K=K, M=3, activation=activation, initial_size=1.0), found.task)
    exact = found.population_squared_error
    assert exact is not None
    with torch.no_grad():
        sampled = float((network(found.test.inputs) - found.test.labels).square().mean())
    assert exact(network) == pytest.approx(sampled, rel=0.012)


def test_the_exact_loss_of_other_networks_is_not_known() -> None:
    found = load(N=8)
    exact = found.population_squared_error
    assert exact is not None
    assert exact(nn.Linear(8, 1)) is None
    assert exact(COMMITTEE.build(CommitteeParams(activation="linear"), found.task)) is None


def test_inputs_that_eigenvalues_cannot_share_are_refused() -> None:
    with pytest.raises(InputError, match="N must be a multiple of L = 8"):
        validate_params(COMMITTEE_TEACHER, {"N": 20, "L": 8})
