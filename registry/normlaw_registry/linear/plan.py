"""The linear maps of any network, in forward order, with its normalisations folded in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from normlaw_registry.architecture import Architecture
from normlaw_registry.dataset import Task
from normlaw_registry.errors import InputError
from normlaw_registry.linear.example import Example
from normlaw_registry.linear.resolution import resolve
from normlaw_registry.linear.rules import RULES
from normlaw_registry.linear.steps import LinearMaps, Step
from normlaw_registry.linear_map import LayerRule, LinearMap
from normlaw_registry.made_up import blank_inputs


def trace_linear_maps(
    network: nn.Module, task: Task, architecture: Architecture | None = None
) -> list[LinearMap]:
    """Return the linear maps of a network in forward order.

    The network runs once on an input of zeros in evaluation mode and is left as it was. A batch
    normalisation is folded into the map whose output it alone takes, and is else a depthwise map of its own.
    A layer that is called n times gives its maps n times: 'name', 'name@2', ..

    Args:
        network: any module that maps (batch, *task.input_shape) to (batch, *task.output_shape).
        task: says the shape of one input.
        architecture: its `linear_maps` replaces the tracing, its `layer_rules` go before the built-in rules.

    Raises:
        InputError: a layer with weights has no rule; names it and says how a plugin supplies one.

    """
    return list(LinearMapPlan.of(network, task, architecture).linear_maps(network))


@dataclass(frozen=True)
class LinearMapPlan:
    """What tracing found: enough to read the linear maps off the network again without running it.

    Valid as long as the network's layers and their input shapes stay the same, as they do in training.
    """

    architecture: Architecture | None
    task: Task
    steps: Sequence[Step]
    excluded: Mapping[str, str] = field(default_factory=dict)
    """What has weights and is no linear map: layer or parameter -> why."""

    @classmethod
    def of(
        cls,
        network: nn.Module,
        task: Task,
        architecture: Architecture | None = None,
        *,
        example: Example | None = None,
        layer_rules: Mapping[type[nn.Module], LayerRule] | None = None,
    ) -> LinearMapPlan:
        """Trace a network. Raises as `trace_linear_maps` does.

        Args:
            network: see there.
            task: see there.
            architecture: see there.
            example: what it is applied to in place of zeros of the task's shape.
            layer_rules: for layer types by class; they go before all others.

        """
        if architecture is not None and architecture.linear_maps is not None:
            plan = cls(architecture, task, ())
        else:
            rules = {
                **RULES,
                **(architecture.layer_rules() if architecture and architecture.layer_rules else {}),
                **(layer_rules or {}),
            }
            plan = cls(
                architecture, task, *resolve(network, example or Example((blank_inputs(task, 1),)), rules)
            )
        maps = plan.linear_maps(network)
        names = maps.names if isinstance(maps, LinearMaps) else [m.name for m in maps]
        if not names:
            raise InputError(
                f"the network {type(network).__name__} has no linear map that a norm could be taken of"
            )
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputError(f"linear maps need names of their own; used more than once: {', '.join(twice)}")
        return plan

    def linear_maps(self, network: nn.Module) -> Sequence[LinearMap]:
        """Return the maps of this network as its weights are now."""
        if self.architecture is not None and self.architecture.linear_maps is not None:
            with torch.no_grad():
                return list(self.architecture.linear_maps(network, self.task))
        return LinearMaps(network, self.steps)
