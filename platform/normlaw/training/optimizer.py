"""The optimiser of a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from normlaw.study.spec import OptimizerSpec, RunSpec
from normlaw.training.rate import rate_factor

WRAPPED = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
"""Methods of torch's optimisers, besides `step`, that are called through the compiler."""


def build_optimizer(spec: OptimizerSpec, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """Return the optimiser of these parameters."""
    rate, decay = spec.learning_rate, spec.weight_decay
    match spec.name:
        case "adam":
            return _light(torch.optim.Adam)(parameters, lr=rate, weight_decay=decay, fused=True)
        case "adamw":
            return _light(torch.optim.AdamW)(parameters, lr=rate, weight_decay=decay, fused=True)
        case "sgd":
            momentum = spec.momentum
            return _light(torch.optim.SGD)(parameters, lr=rate, weight_decay=decay, momentum=momentum)
    raise ValueError(f"{spec.name} takes no optimiser steps")


@cache
def _light(kind: type[torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """Return torch's optimiser with the same updates, whose methods do not import torch's compiler.

    Around each of them torch puts a function that imports `torch._dynamo` to keep the compiler out: most of a
    second for each worker, which compiles no optimiser.
    """
    own_step = inspect.unwrap(kind.step)

    def step(self: torch.optim.Optimizer) -> None:
        with torch.no_grad():
            own_step(self)

    plain = {name: inspect.unwrap(getattr(kind, name)) for name in WRAPPED}
    return type(kind.__name__, (kind,), {"step": step, **plain})


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Take over an optimiser's state, whatever the memory layout of the weights that it was saved for.

    Fused optimisers go through weights and moments in the order of memory, which must be the same for both.
    """
    optimizer.load_state_dict(state)
    for parameter, values in optimizer.state.items():
        for key, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                values[key] = torch.empty_like(parameter).copy_(value)


def set_rate(optimizer: torch.optim.Optimizer, spec: RunSpec, step: int) -> None:
    """Set the learning rate of the update that leads from `step` to `step + 1`."""
    factor = rate_factor(spec.learning_rate_schedule, step, spec.total_steps)
    for group in optimizer.param_groups:
        group["lr"] = spec.optimizer.learning_rate * factor
