"""Inputs and answers of a task, made up: what a network is tried, traced and timed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_registry.dataset import Split, Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TOKEN_TYPES = ("uint8", "int16", "int32", "int64")
"""What tokens may be kept as."""


def blank_inputs(task: Task, count: int) -> Tensor:
    """Return inputs of zeros, (count, *input_shape): float32, tokens int64."""
    import torch

    return torch.zeros(
        count, *task.input_shape, dtype=torch.int64 if task.kind == "next_token" else torch.float32
    )


def random_inputs(task: Task, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Return standard normal inputs, (count, *input_shape), of sequences tokens that are equally likely."""
    import torch

    if task.kind == "next_token":
        return torch.randint(task.vocabulary, (count, *task.input_shape), generator=generator)
    return torch.randn(count, *task.input_shape, generator=generator)


def random_split(task: Task, count: int, generator: torch.Generator | None = None) -> Split:
    """Return random inputs with classes, (count,), tokens, (count, scored_places), or normal targets."""
    import torch

    if task.kind == "regression":
        labels = torch.randn(count, task.num_targets, generator=generator)
    elif task.kind == "next_token":
        labels = torch.randint(task.vocabulary, (count, task.scored_places), generator=generator)
    else:
        labels = torch.randint(task.num_classes, (count,), generator=generator)
    return Split(inputs=random_inputs(task, count, generator), labels=labels)
