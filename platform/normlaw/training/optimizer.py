"""The optimiser of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from normlaw.spec import OptimizerSpec, RunSpec
from normlaw.training.rate import rate_factor


def build_optimizer(spec: OptimizerSpec, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """Return the optimiser of these parameters."""
    rate, decay = spec.learning_rate, spec.weight_decay
    match spec.name:
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
        case "sgd":
            return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=spec.momentum)
    raise ValueError(f"{spec.name} takes no optimiser steps")


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
