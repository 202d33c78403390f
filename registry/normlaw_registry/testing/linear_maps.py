"""What a network's linear maps must be: found by the same tracing as in a run, with norms that have a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_registry.architecture import Architecture
from normlaw_registry.dataset import Task
from normlaw_registry.errors import InputError, InvalidComponentError
from normlaw_registry.linear_map import LinearMap
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    from torch import Tensor, nn


def check_linear_maps(architecture: Architecture, network: nn.Module, task: Task) -> None:
    """Find the network's linear maps as a run does and apply each to random inputs; tracing twice agrees.

    Raises:
        InvalidComponentError: a layer with weights has no rule, two maps have one name, or a map cannot be
            applied, is zero or not finite as it is applied; names the layer.

    """
    from torch import nn

    from normlaw_registry.linear import LinearMapPlan

    for layer_type in architecture.layer_rules() if architecture.layer_rules else ():
        require(
            architecture,
            isinstance(layer_type, type) and issubclass(layer_type, nn.Module),
            f"`layer_rules` must map subclasses of nn.Module to rules, got the key {layer_type!r}",
        )
    if architecture.linear_maps:
        maps = architecture.linear_maps(network.eval(), task)
        require(
            architecture,
            maps and all(isinstance(one, LinearMap) for one in maps),
            "`linear_maps` must return a non-empty sequence of LinearMap",
        )
        names = [one.name for one in maps]
        require(architecture, len(set(names)) == len(names), f"`linear_maps` gives one name twice: {names}")
    try:
        plan = LinearMapPlan.of(network, task, architecture)
        again = LinearMapPlan.of(network, task, architecture)
    except InvalidComponentError:
        raise
    except InputError as error:
        raise InvalidComponentError(
            f"{architecture.kind} {architecture.name!r}: no norm could be taken of it: {error}"
        ) from error
    names = [one.name for one in plan.linear_maps(network)]
    require(
        architecture,
        names == [one.name for one in again.linear_maps(network)],
        "two forward passes call different layers: its linear maps must be the same at each measuring point",
    )
    for one in plan.linear_maps(network):
        _check_applied(architecture, one)


def _check_applied(architecture: Architecture, linear_map: LinearMap) -> None:
    import torch

    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(1, *linear_map.input_shape, generator=generator).to(linear_map.weight)
    where = f"layer {linear_map.name!r}"
    try:
        image: Tensor = linear_map.apply(inputs)
    except RuntimeError as error:  # as torch reports shapes that do not fit
        raise InvalidComponentError(
            f"{architecture.kind} {architecture.name!r}: the linear map of {where} cannot be applied to inputs "
            f"of its own shape {linear_map.input_shape}: {error}"
        ) from error
    require(architecture, image.isfinite().all(), f"{where} has a weight that is not finite")
    require(
        architecture,
        bool(image.any()),
        f"{where} is zero at initialisation, and zero has no log: norms that multiply over the layers would "
        "end every run at its first measuring point; start from a non-zero initialisation",
    )
