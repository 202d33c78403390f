"""Examples that stay are copied once, and outputs are those of the ordinary evaluation."""

from __future__ import annotations

import torch
from torch import Tensor

from normlaw.training.data import Examples
from normlaw.training.evaluation import outputs
from normlaw.training.linear.kept import KeptInputs
from normlaw_registry import Split, Splits, Task


def examples(count: int = 70) -> Examples:
    draw = torch.Generator().manual_seed(0)
    split = Split(inputs=torch.randn(count, 3, generator=draw), labels=torch.zeros(count, dtype=torch.long))
    task = Task(num_classes=2, input_shape=(3,))
    return Examples.of(split, Splits(task=task, train=split, test=split), "cpu")


def test_outputs_are_the_same_and_batches_are_made_once() -> None:
    some = examples()
    seen: list[int] = []

    def forward(x: Tensor) -> Tensor:
        seen.append(x.data_ptr())
        return x.sum(dim=1, keepdim=True)

    kept = KeptInputs(forward, 32)
    first, second = kept(some), kept(some)
    assert torch.equal(first, outputs(lambda x: x.sum(dim=1, keepdim=True), some, at_once=32))
    assert torch.equal(first, second)
    assert seen[:3] == seen[3:]  # 32, 32 and 6 examples
    assert some.split.inputs.data_ptr() not in seen


def test_a_network_that_writes_into_its_input_is_given_new_ones() -> None:
    some = examples()
    kept = KeptInputs(lambda x: x.add_(1.0).sum(dim=1, keepdim=True), 32)
    before = some.split.inputs.clone()
    first, second, third = kept(some), kept(some), kept(some)
    assert torch.equal(first, second)
    assert torch.equal(first, third)
    assert torch.equal(some.split.inputs, before)


def test_other_examples_have_batches_of_their_own() -> None:
    kept = KeptInputs(lambda x: x[:, :1], 32)
    more, fewer = examples(70), examples(10)
    for _ in range(2):
        assert torch.equal(kept(more), more.split.inputs[:, :1])
        assert torch.equal(kept(fewer), fewer.split.inputs[:, :1])


def test_changed_examples_are_made_each_time() -> None:
    some = examples()
    kept = KeptInputs(lambda x: x[:, :1], 32)
    kept(some)
    assert torch.equal(kept(some, lambda x: x + 1.0), some.split.inputs[:, :1] + 1.0)
