"""Batches of a data set as the network sees them."""

from __future__ import annotations

import pytest
import torch

from normlaw.training.data import Examples
from normlaw_registry import Split, Splits, Task

INPUTS = torch.tensor([[0.0, -0.0, 1e-42], [float("inf"), 3.25, -7.5]])


def examples(mean: float, std: float) -> Examples:
    split = Split(inputs=INPUTS.clone(), labels=torch.tensor([0, 1]))
    task = Task(input_shape=(3,), num_classes=2)
    return Examples.of(split, Splits(task=task, train=split, test=split, mean=(mean,), std=(std,)), "cpu")


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (0.0, 2.0), (0.5, 1.0)])
@pytest.mark.parametrize("index", [slice(0, 2), torch.tensor([1, 0])])
def test_inputs_are_normalised_to_the_last_bit(mean: float, std: float, index: slice | torch.Tensor) -> None:
    seen, _ = examples(mean, std).batch(index)
    expected = (INPUTS[index] - torch.tensor([mean])) / torch.tensor([std])
    assert seen.numpy().tobytes() == expected.numpy().tobytes()


@pytest.mark.parametrize("index", [slice(0, 2), torch.tensor([1, 0])])
def test_a_network_that_writes_into_its_inputs_leaves_the_data_as_they_are(index: slice | torch.Tensor) -> None:
    whole = examples(0.0, 1.0)
    whole.batch(index)[0].zero_()
    assert whole.split.inputs.numpy().tobytes() == INPUTS.numpy().tobytes()
