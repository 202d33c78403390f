"""Optimisers: from gradients to the next weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic

from normlaw_registry.component import Component, P

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Optimizer(Component[P], Generic[P]):
    """An optimiser. `build(params, weights, learning_rate, weight_decay)` returns one of torch's kind.

    Each of its `param_groups` has `lr`, which the platform multiplies with the schedule's factor before each
    step, and `weight_decay`, as built. All that the next step depends on is in its `state_dict`, in tensors,
    numbers, lists and mappings alone, so that a run goes on from a checkpoint with the same bits. It draws
    nothing at random.
    """

    kind: ClassVar[str] = "optimizer"
    functions: ClassVar[tuple[str, ...]] = ("build",)

    build: Callable[[P, Mapping[str, Tensor], float, float], torch.optim.Optimizer]
    """(params, weights, learning_rate, weight_decay) -> optimiser. The weights are the network's parameters
    by name, in its order. Import torch inside. Raise `InputError` for a network or a setting that it cannot
    serve."""
    elementwise: bool = True
    """Whether each weight's update depends on that weight and its gradients alone, and the state of a tensor
    has its shape but for the counter `step`: then runs train as one, with their weights stacked. Runs of
    another one are trained one by one."""
