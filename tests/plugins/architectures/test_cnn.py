from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.nn import functional

from normlaw_plugins.architectures.cnn import CNN
from normlaw_registry import InputError, Task, validate_params

MNIST = Task(input_shape=(1, 28, 28), num_classes=10)
CIFAR10 = Task(input_shape=(3, 32, 32), num_classes=10)
CIFAR100 = Task(input_shape=(3, 32, 32), num_classes=100)
DIGITS = Task(input_shape=(1, 8, 8), num_classes=10)


def build(task, **values):
    return CNN.build(validate_params(CNN, values), task)


def affine(sizes):
    """Parameters of linear layers with biases."""
    return sum(before * after + after for before, after in pairwise(sizes))


def convolutions(sizes):
    """Parameters of 3x3 convolutions with biases."""
    return sum(9 * before * after + after for before, after in pairwise(sizes))


@pytest.mark.parametrize(
    ("preset", "task", "expected"),
    [
        ("mnist", MNIST, convolutions([1, 32, 64, 128]) + affine([128 * 14 * 14, 512, 10])),
        ("cifar10", CIFAR10, convolutions([3, 32, 64, 128]) + affine([128 * 16 * 16, 512, 10])),
        (
            "cifar100",
            CIFAR100,
            convolutions([3, 64, 128, 256, 512]) + affine([512 * 8 * 8, 1024, 512, 100]),
        ),
    ],
)
def test_presets_have_the_papers_parameter_counts(preset, task, expected):
    network = build(task, **CNN.presets[preset])
    assert sum(p.numel() for p in network.parameters()) == expected


def test_forward_pass_is_the_one_written_out_by_hand():
    torch.manual_seed(0)
    network = build(DIGITS, channels=[4, 5, 6], hidden=[7], dropout=0.5).eval()
    inputs = torch.rand(3, 1, 8, 8)
    c1, b1, c2, b2, c3, b3, w1, d1, w2, d2 = network.parameters()
    x = functional.conv2d(inputs, c1, b1, padding=1).relu()
    x = functional.conv2d(x, c2, b2, padding=1).relu()
    x = functional.max_pool2d(x, 2)
    x = functional.conv2d(x, c3, b3, padding=1).relu()
    assert x.shape == (3, 6, 4, 4)
    x = functional.linear(x.flatten(1), w1, d1).relu()
    torch.testing.assert_close(network(inputs), functional.linear(x, w2, d2))


def test_factor_scales_weights_but_not_biases():
    torch.manual_seed(3)
    plain = build(DIGITS, channels=[4], hidden=[5])
    torch.manual_seed(3)
    scaled = build(DIGITS, channels=[4], hidden=[5], init_factor=0.05)
    for (name, one), other in zip(plain.named_parameters(), scaled.parameters(), strict=True):
        factor = 0.05 if name.endswith("weight") else 1.0
        torch.testing.assert_close(other, factor * one)


def test_dropout_follows_each_hidden_linear_layer_only():
    network = build(DIGITS, channels=[4, 4], hidden=[5, 6], dropout=0.1)
    names = [type(layer).__name__ for layer in network]
    assert names == [
        *["Conv2d", "ReLU", "Conv2d", "ReLU", "MaxPool2d", "Flatten"],
        *["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"],
    ]


def test_two_classes_have_one_output():
    assert build(Task(input_shape=(1, 8, 8), num_classes=2), channels=[2])(torch.rand(5, 1, 8, 8)).shape == (
        5,
        1,
    )


def test_too_many_poolings_are_refused():
    build(DIGITS, channels=[1] * 7)
    with pytest.raises(InputError, match="8 convolutions pool 4 times"):
        build(DIGITS, channels=[1] * 8)


def test_inputs_that_are_no_images_are_refused():
    with pytest.raises(InputError, match="needs images"):
        build(Task(input_shape=(100,), num_classes=2))


@pytest.mark.parametrize(
    "values", [{"channels": []}, {"channels": [0]}, {"dropout": 1.0}, {"init_factor": 0.0}, {"widths": [3]}]
)
def test_bad_parameters_are_refused(values):
    with pytest.raises(InputError):
        validate_params(CNN, values)
