from __future__ import annotations

from math import acos, cos, pi, sin
from pathlib import Path

import pytest
import torch
from torch import nn

from normlaw_plugins.datasets.teacher_student import TEACHER_STUDENT, generalisation_error
from normlaw_registry import LoadContext, validate_params


def load(seed=0, train_size=50, **values):
    params = validate_params(TEACHER_STUDENT, values)
    return TEACHER_STUDENT.load(params, LoadContext(seed=seed, train_size=train_size, data_dir=Path()))


def student(weight):
    linear = nn.Linear(weight.numel(), 1, bias=False)
    with torch.no_grad():
        linear.weight.copy_(weight[None])
    return nn.Sequential(nn.Flatten(), linear)


def unit(index, dimension=10):
    return torch.eye(dimension, dtype=torch.float64)[index]


def test_smaller_training_sets_are_the_beginning_of_larger_ones():
    small, large = load(train_size=30), load(train_size=300)
    assert torch.equal(small.train.inputs, large.train.inputs[:30])
    assert torch.equal(small.train.labels, large.train.labels[:30])
    assert torch.equal(small.test.inputs, large.test.inputs)


def test_seeds_draw_other_data_and_another_teacher():
    one, other = load(seed=1), load(seed=2)
    assert not torch.equal(one.train.inputs, other.train.inputs)
    assert TEACHER_STUDENT.seeded


def test_splits_have_the_stated_shapes():
    splits = load(dimension=7, train_size=11, test_size=13)
    assert splits.task.input_shape == (7,)
    assert splits.task.num_outputs == 1
    assert splits.train.inputs.shape == (11, 7)
    assert splits.test.inputs.shape == (13, 7)
    assert splits.train.inputs.dtype == torch.float32
    assert splits.train.labels.dtype == torch.int64


def test_teacher_labels_its_examples_without_error():
    # Least squares on many examples finds the teacher's direction: E[y x] is proportional to w*.
    splits = load(dimension=20, train_size=200_000)
    signs = 2.0 * splits.train.labels.double() - 1
    hebb = signs @ splits.train.inputs.double()
    error = splits.population_error(student(hebb.float()))
    # Hebb: R = sqrt(2 alpha / (2 alpha + pi))
    alpha = 200_000 / 20
    assert error == pytest.approx(acos((2 * alpha / (2 * alpha + pi)) ** 0.5) / pi, rel=0.5)
    assert error < 0.006


def test_exact_error_agrees_with_a_count_on_many_examples():
    splits = load(dimension=15, test_size=200_000)
    torch.manual_seed(0)
    network = student(torch.randn(15))
    wrong = (network(splits.test.inputs)[:, 0] > 0).long() != splits.test.labels
    error = splits.population_error(network)
    assert error == pytest.approx(float(wrong.double().mean()), abs=4 * (0.25 / 200_000) ** 0.5)


@pytest.mark.parametrize("angle", [1e-3, 0.5, pi / 2, 3.0])
@pytest.mark.parametrize("norm", [1e-3, 1e3])
def test_exact_error_is_the_angle_over_pi(angle, norm):
    weight = norm * (cos(angle) * unit(0) + sin(angle) * unit(1))
    assert generalisation_error(student(weight), unit(0) * 10**0.5) == pytest.approx(angle / pi, rel=1e-6)


def test_exact_error_at_the_ends():
    teacher = unit(0)
    assert generalisation_error(student(teacher), teacher) == 0.0
    assert generalisation_error(student(-teacher), teacher) == 1.0
    assert generalisation_error(student(0 * teacher), teacher) == 0.5


class Squared(nn.Module):
    """One bias-free linear layer, but no linear network."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(10, 1, bias=False)

    def forward(self, inputs):
        return self.linear(inputs) ** 2


@pytest.mark.parametrize(
    "network",
    [
        nn.Linear(10, 1),
        nn.Linear(10, 2, bias=False),
        nn.Sequential(nn.Linear(10, 1, bias=False), nn.Tanh()),
        nn.Sequential(nn.Linear(10, 10, bias=False), nn.Linear(10, 1, bias=False)),
        Squared(),
    ],
)
def test_other_networks_have_no_closed_form(network):
    assert generalisation_error(network, unit(0)) is None
