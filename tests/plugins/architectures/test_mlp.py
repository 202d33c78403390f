from __future__ import annotations

import pytest
import torch

from normlaw_plugins.architectures.mlp import MLP
from normlaw_registry import Task, validate_params

TASK = Task(input_shape=(2, 3, 4), num_classes=5)


def build(**values):
    return MLP.build(validate_params(MLP, values), TASK)


@pytest.mark.parametrize(
    ("bias", "expected"), [(True, 24 * 7 + 7 + 7 * 9 + 9 + 9 * 5 + 5), (False, 24 * 7 + 63 + 45)]
)
def test_parameter_count(bias, expected):
    assert sum(p.numel() for p in build(hidden=[7, 9], bias=bias).parameters()) == expected


@pytest.mark.parametrize(("bias", "expected"), [(True, 6 * 7 + 7 + 7 * 3 + 3), (False, 6 * 7 + 7 * 3)])
def test_parameter_count_of_a_regression(bias, expected):
    task = Task(input_shape=(6,), kind="regression", num_targets=3)
    network = MLP.build(validate_params(MLP, {"hidden": [7], "bias": bias}), task)
    assert sum(p.numel() for p in network.parameters()) == expected
    assert network(torch.zeros(2, 6)).shape == (2, 3)


def test_forward_pass_is_the_one_written_out_by_hand():
    network = build(hidden=[7], dropout=0.3, init_factor=2.0).eval()
    w1, b1, w2, b2 = network.parameters()
    inputs = torch.randn(6, 2, 3, 4)
    torch.testing.assert_close(network(inputs), (inputs.flatten(1) @ w1.T + b1).relu() @ w2.T + b2)


def test_no_hidden_layer_is_a_linear_classifier():
    assert [p.shape for p in build(hidden=[], bias=False).parameters()] == [(5, 24)]
