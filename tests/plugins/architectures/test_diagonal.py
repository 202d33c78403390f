"""The predictor of `diagonal`, and the weights that its norms are of."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from normlaw_plugins.architectures.diagonal import DIAGONAL, DiagonalNetworkParams
from normlaw_registry import InputError, Task
from normlaw_registry.linear import LinearMapPlan
from normlaw_registry.testing import check_component

TASK = Task(input_shape=(40,), kind="regression", num_targets=1)


def network(depth: int, scale: float) -> nn.Module:
    return DIAGONAL.build(DiagonalNetworkParams(depth=depth, initial_scale=scale), TASK)


@pytest.mark.parametrize("depth", [2, 3])
def test_it_keeps_the_contract(depth: int) -> None:
    check_component(DIAGONAL, params=DiagonalNetworkParams(depth=depth))


@pytest.mark.parametrize("depth", [2, 5])
def test_it_is_a_difference_of_powers_over_the_root_of_the_dimension(depth: int) -> None:
    made = network(depth, 0.5)
    x = torch.randn(3, 40, generator=torch.Generator().manual_seed(0))
    assert made(x).tolist() == [[0.0]] * 3
    plus, minus = made.parameters()
    assert set(plus.tolist()) == set(minus.tolist()) == {0.5}
    with torch.no_grad():
        plus[3], minus[7] = 2.0, 3.0
        expected = ((2.0**depth - 0.5**depth) * x[:, 3] - (3.0**depth - 0.5**depth) * x[:, 7]) / 40**0.5
        torch.testing.assert_close(made(x)[:, 0], expected)


def test_its_norm_is_that_of_the_weights_per_input() -> None:
    made = network(2, 0.3)
    maps = LinearMapPlan.of(made, TASK, DIAGONAL).linear_maps(made)
    assert [one.name for one in maps] == ["plus", "minus"]
    squared = sum(float(one.weight.square().sum()) for one in maps)
    assert squared == pytest.approx(2 * 0.3**2)  # (|w_+|^2 + |w_-|^2)/d


def test_more_than_one_output_is_refused() -> None:
    with pytest.raises(InputError, match="architecture 'diagonal' has one output, and 3 classes need 3"):
        DIAGONAL.build(DiagonalNetworkParams(), Task(input_shape=(40,), num_classes=3))
