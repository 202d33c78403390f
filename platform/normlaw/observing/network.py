"""The network inside of what a training loop calls its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from normlaw_registry import InputError, Task
from normlaw_registry.linear import evaluation
from normlaw_registry.linear.example import Example

_WRAPPERS = {"OptimizedModule": "_orig_mod", "DistributedDataParallel": "module", "DataParallel": "module"}
"""Classes that wrap a whole model, of torch.compile and torch.nn.parallel, and where they keep it."""
_SHARDED = ("FullyShardedDataParallel", "FSDPModule", "DeepSpeedEngine")


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the network without what wraps it for compiling or for several processes.

    Raises:
        InputError: this is no module, or no process holds its weights whole.

    """
    if not isinstance(model, nn.Module):
        raise InputError(f"the model is a {type(model).__name__}, not a torch.nn.Module")
    while (inside := _WRAPPERS.get(type(model).__name__)) is not None:
        model = getattr(model, inside)
    for name, module in model.named_modules():
        if kinds := [kind.__name__ for kind in type(module).__mro__ if kind.__name__ in _SHARDED]:
            _refuse(f"{name or 'the model'} is a {kinds[0]}")
    for name, parameter in model.named_parameters():
        if hasattr(parameter, "device_mesh") or hasattr(parameter, "ds_id"):
            _refuse(f"{name} is a part of a tensor")
        if parameter.is_meta:
            _refuse(f"{name} is on the device `meta`", "without values")
    return model


def _refuse(found: str, how: str = "in shards, which no process holds whole") -> None:
    raise InputError(
        f"the model's weights are there {how} ({found}), and a norm needs them whole: save checkpoints with "
        "whole weights, and take their norms with `normlaw measure`"
    )


@dataclass(frozen=True)
class Observed:
    """A network with the example that it is traced with."""

    network: nn.Module
    example: Example
    task: Task


def observed(model: nn.Module, batch: Any) -> Observed:
    """Return a model's network, with an example and a task that fits it.

    Args:
        model: see `unwrapped`.
        batch: what the model is called with; see `Example.of`.

    Raises:
        InputError: the model cannot be applied to the batch, or see `unwrapped`.

    """
    network = unwrapped(model)
    example = Example.of(batch).fitted(network)
    with evaluation(network):
        try:
            outputs = network(*example.args, **example.kwargs)
        except Exception as error:
            raise InputError(
                f"the model cannot be applied to the example batch ({type(error).__name__}: {error}): give "
                "what it is called with, a tensor, a tuple of arguments or a mapping of keyword arguments"
            ) from error
    return Observed(
        network, example, Task(input_shape=example.input_shape or (1,), num_classes=_classes(outputs))
    )


def _classes(outputs: Any) -> int:
    """Return the number of classes that outputs (1, n) are of; 2 where they are none of a classifier."""
    logits = next(iter(outputs.values()), None) if isinstance(outputs, dict) else outputs
    if isinstance(logits, Sequence) and logits:
        logits = logits[0]
    return max(2, logits.shape[1]) if isinstance(logits, Tensor) and logits.dim() == 2 else 2


def rank() -> int:
    """Return the number of this process among those that train together; 0 where it is alone."""
    distributed = torch.distributed
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0


def told_by_first(said: Any) -> Any:
    """Return what process 0 says, in every process that trains together; each of them must call this."""
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return said
    told = [said]
    torch.distributed.broadcast_object_list(told, src=0)
    return told[0]
