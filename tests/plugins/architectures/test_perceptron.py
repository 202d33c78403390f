from __future__ import annotations

import pytest
import torch

from normlaw_plugins.architectures.perceptron import PERCEPTRON
from normlaw_registry import Task, validate_params


def build(task, **values):
    return PERCEPTRON.build(validate_params(PERCEPTRON, values), task)


@pytest.mark.parametrize("classes", [2, 3])
def test_initial_norm_is_lambda(classes):
    network = build(Task(input_shape=(50,), num_classes=classes), init_norm=0.25)
    (weight,) = network.parameters()
    assert weight.shape == (1 if classes == 2 else 3, 50)
    assert weight.norm().item() == pytest.approx(0.25, rel=1e-6)


def test_output_is_the_scalar_product_with_the_flattened_input():
    network = build(Task(input_shape=(2, 3, 4), num_classes=2), init_norm=1.0)
    (weight,) = network.parameters()
    inputs = torch.randn(5, 2, 3, 4)
    expected = torch.einsum("bchw,chw->b", inputs, weight.view(2, 3, 4))
    torch.testing.assert_close(network(inputs), expected[:, None])


def test_direction_comes_from_the_global_generator():
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(next(build(Task(input_shape=(9,), num_classes=2)).parameters()))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
