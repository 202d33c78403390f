"""A run in the middle of its training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TrainingState:
    """Everything that the rest of a run depends on besides its specification, taken after a measurement.

    Its tensors are the live ones: write them out, or copy them, before training goes on.
    """

    step: int
    """Optimiser steps done."""
    network: dict[str, Tensor]
    """Parameters and buffers by name."""
    optimizer: dict[str, Any]
    """As torch's optimisers give it."""
    order: dict[str, Any]
    """Where the order of the examples stands."""
    measurer: dict[str, Tensor]
    """What the complexity measures start from."""
    generators: dict[str, Tensor]
    """States of torch's own random generators by device, for dropout."""
    callbacks: dict[str, Any] = field(default_factory=dict)
    """States of the followers by their callbacks' names; checkpoints from before there were any have none."""
    intervention: dict[str, Any] = field(default_factory=dict)
    """Whether the run's intervention is in force, and what it holds; empty for a run without one."""
