"""What several architectures share: field types, the initialisation factor, and what an image is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from normlaw_registry import InputError, Task

if TYPE_CHECKING:
    from torch import nn

Width = Annotated[int, Field(ge=1)]
"""A number of channels or units."""
Dropout = Annotated[float, Field(ge=0, lt=1)]
"""The probability that a unit is dropped in training."""
InitFactor = Annotated[float, Field(gt=0)]
"""What the weights are multiplied by after their default initialisation."""


def image_shape(name: str, task: Task) -> tuple[int, int, int]:
    """Return the task's (channels, height, width).

    Raises:
        InputError: the task's inputs are not images; names the architecture.

    """
    if len(task.input_shape) != 3:
        raise InputError(
            f"architecture {name!r} needs images (channels, height, width), but the data set's inputs have "
            f"shape {task.input_shape}: take an image data set, or the architecture 'mlp' or 'perceptron'"
        )
    channels, height, width = task.input_shape
    return channels, height, width


def require_tokens(name: str, task: Task) -> None:
    """Raise InputError unless the task is to foretell tokens; names the architecture."""
    if task.kind != "next_token":
        raise InputError(
            f"architecture {name!r} foretells the next token of sequences, and the data set asks for "
            f"{task.answer}"
        )


def scale_weights(network: nn.Module, factor: float) -> None:
    """Multiply the weights of all convolutions and linear layers by `factor`, in place.

    Biases, normalisation layers, embeddings and the joint query-key-value matrix of
    `nn.MultiheadAttention` (no `nn.Linear` of its own) keep their initial values.
    """
    import torch
    from torch import nn

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.mul_(factor)
