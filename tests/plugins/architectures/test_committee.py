"""The hidden units of `committee`, their start and their fixed sum."""

from __future__ import annotations

import pytest
import torch

from normlaw_plugins.architectures.committee import COMMITTEE, CommitteeParams
from normlaw_registry import InputError, Task
from normlaw_registry.linear import LinearMapPlan
from normlaw_registry.testing import check_component

TASK = Task(input_shape=(900,), kind="regression", num_targets=1)


@pytest.mark.parametrize("activation", ["erf", "linear"])
def test_it_keeps_the_contract(activation: str) -> None:
    check_component(COMMITTEE, params=CommitteeParams.model_validate({"K": 3, "activation": activation}))


@pytest.mark.parametrize(
    ("activation", "g"), [("erf", lambda x: torch.erf(x / 2**0.5)), ("linear", lambda x: x)]
)
def test_its_answer_is_the_scaled_sum_of_its_units(activation: str, g) -> None:
    torch.manual_seed(0)
    params = CommitteeParams.model_validate({"K": 3, "M": 2, "activation": activation, "initial_size": 0.5})
    network = COMMITTEE.build(params, TASK)
    (only,) = LinearMapPlan.of(network, TASK, COMMITTEE).linear_maps(network)
    J = only.weight.detach() * 900**0.5  # (3, 900)
    assert float(J.std()) == pytest.approx(0.5, rel=0.04)
    x = torch.randn(4, 900)
    expected = 2**0.5 / 3 * sum(g(x @ row / 900**0.5) for row in J)
    torch.testing.assert_close(network(x)[:, 0], expected)
    assert sum(weight.numel() for weight in network.parameters()) == 3 * 900


def test_it_has_one_output() -> None:
    with pytest.raises(InputError, match="two classes or one real number, not 10 classes"):
        COMMITTEE.build(CommitteeParams(), Task(input_shape=(9,), num_classes=10))
