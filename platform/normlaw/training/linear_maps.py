"""The linear maps of any network, in forward order, with its normalisations folded in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import torch
from torch import nn

from normlaw.training.layer_rules import (
    BATCH_NORMS,
    EXCLUSIONS,
    NO_STATISTICS,
    RULES,
    batch_norm,
    batch_norm_scale,
)
from normlaw.training.tracing import Call, record
from normlaw_registry import Architecture, InputError, LayerRule, LinearMap, Task


def trace_linear_maps(
    network: nn.Module, task: Task, architecture: Architecture | None = None
) -> list[LinearMap]:
    """Return the linear maps of a network in forward order.

    The network runs once on an input of zeros in evaluation mode and is left as it was. A batch
    normalisation is folded into the map whose output it alone takes, and is else a depthwise map of its own.
    A layer that is called n times gives its maps n times: 'name', 'name@2', ..

    Args:
        network: any module that maps (batch, *task.input_shape) to (batch, task.num_outputs).
        task: says the shape of one input.
        architecture: its `linear_maps` replaces the tracing, its `layer_rules` go before the built-in rules.

    Raises:
        InputError: a layer with weights has no rule; names it and says how a plugin supplies one.

    """
    return list(LinearMapPlan.of(network, task, architecture).linear_maps(network))


@dataclass(frozen=True)
class _Step:
    """One call of a layer: how its maps are read off a network of this shape."""

    layer: str
    rule: LayerRule
    shape: tuple[int, ...]
    parts: int
    """How many maps the rule returns."""
    repeat: int = 1
    batch_norm: str | None = None
    lipschitz: float = 1.0

    def maps(self, network: nn.Module) -> Sequence[LinearMap]:
        maps = [*self.rule(network.get_submodule(self.layer), self.layer, self.shape)]
        if self.batch_norm is not None:
            weight = maps[-1].weight
            scale = batch_norm_scale(network.get_submodule(self.batch_norm)).to(weight)  # (out,)
            maps[-1] = replace(maps[-1], weight=weight * scale.reshape(-1, *(1,) * (weight.dim() - 1)))
        maps[-1] = replace(maps[-1], lipschitz=maps[-1].lipschitz * self.lipschitz)
        if self.repeat > 1:
            maps = [replace(m, name=f"{m.name}@{self.repeat}") for m in maps]
        return maps


class LinearMaps(Sequence[LinearMap]):
    """The maps of one network at one time, each built when it is asked for.

    So at most one folded weight is held at a time, and none when nothing is folded.
    """

    def __init__(self, network: nn.Module, steps: Sequence[_Step]) -> None:
        self._network = network
        self._steps = steps
        self._index = [(step, part) for step in steps for part in range(step.parts)]

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, index: int) -> LinearMap: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LinearMap]: ...
    def __getitem__(self, index: int | slice) -> LinearMap | Sequence[LinearMap]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        step, part = self._index[index]
        return step.maps(self._network)[part]

    def __iter__(self) -> Iterator[LinearMap]:
        for step in self._steps:
            yield from step.maps(self._network)


@dataclass(frozen=True)
class LinearMapPlan:
    """What tracing found: enough to read the linear maps off the network again without running it.

    Valid as long as the network's layers and their input shapes stay the same, as they do in training.
    """

    architecture: Architecture | None
    task: Task
    steps: Sequence[_Step]
    excluded: Mapping[str, str] = field(default_factory=dict)
    """What has weights and is no linear map: layer or parameter -> why."""

    @classmethod
    def of(cls, network: nn.Module, task: Task, architecture: Architecture | None = None) -> LinearMapPlan:
        """Trace a network. Raises as `trace_linear_maps` does."""
        if architecture is not None and architecture.linear_maps is not None:
            plan = cls(architecture, task, ())
        else:
            rules = {
                **RULES,
                **(architecture.layer_rules() if architecture and architecture.layer_rules else {}),
            }
            plan = cls(architecture, task, *_resolve(network, task, rules))
        names = [m.name for m in plan.linear_maps(network)]
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


def _resolve(
    network: nn.Module, task: Task, rules: Mapping[type[nn.Module], LayerRule]
) -> tuple[list[_Step], dict[str, str]]:
    def known(layer: nn.Module) -> bool:
        return (
            isinstance(layer, BATCH_NORMS) or _lookup(layer, rules) is not None or _excluded(layer) is not None
        )

    calls, bare = record(network, task.input_shape, known)
    excluded: dict[str, str] = {}
    steps: list[_Step] = []
    step_of: dict[int, int] = {}  # id of a call -> its place in `steps`
    repeats: dict[str, int] = {}
    for call in calls:
        layer = network.get_submodule(call.name)
        rule = _lookup(layer, rules)
        if rule is None and isinstance(layer, BATCH_NORMS):
            if (why := _left_out(call, steps, step_of, network, layer)) is not None:
                excluded[call.name] = why
            else:
                rule = batch_norm
        elif rule is None:
            excluded[call.name] = _excluded(layer) or ""
        parts = len(rule(layer, call.name, call.shape)) if rule is not None else 0
        if rule is not None and parts:
            repeats[call.name] = repeats.get(call.name, 0) + 1
            step_of[id(call)] = len(steps)
            steps.append(_Step(call.name, rule, call.shape, parts, repeat=repeats[call.name]))
        elif rule is not None:
            excluded[call.name] = "left out by the architecture's layer rule"
        if steps:  # a nonlinearity counts for the last map before it
            steps[-1] = replace(steps[-1], lipschitz=steps[-1].lipschitz * call.lipschitz)
    for name in bare:
        excluded[name] = "a parameter that is added to or joined with the features, as a bias is"
    _note_unused(network, {call.name for call in calls}, excluded)
    return steps, excluded


def _lookup(layer: nn.Module, rules: Mapping[type[nn.Module], LayerRule]) -> LayerRule | None:
    return next((rules[kind] for kind in type(layer).__mro__ if kind in rules), None)


def _excluded(layer: nn.Module) -> str | None:
    return next((EXCLUSIONS[kind] for kind in type(layer).__mro__ if kind in EXCLUSIONS), None)


def _left_out(
    call: Call,
    steps: list[_Step],
    step_of: Mapping[int, int],
    network: nn.Module,
    layer: nn.BatchNorm1d | nn.BatchNorm2d,
) -> str | None:
    """Fold a normalisation into the map before it; return why it is no map of its own, None where it is one."""
    if layer.running_var is None:
        return NO_STATISTICS
    if (place := _foldable(call, steps, step_of, network, layer)) is None:
        return None
    steps[place] = replace(steps[place], batch_norm=call.name)
    return f"folded into {steps[place].layer}"


def _foldable(
    call: Call, steps: Sequence[_Step], step_of: Mapping[int, int], network: nn.Module, layer: nn.Module
) -> int | None:
    source = call.source
    if source is None or source.consumers != 1 or (place := step_of.get(id(source))) is None:
        return None
    step = steps[place]
    maps = step.maps(network)
    fits = (
        len(maps) == 1 and maps[0].weight.shape[0] == len(batch_norm_scale(layer)) and step.batch_norm is None
    )
    # A dense map followed by a normalisation over another axis than its outputs is not scaled row by row.
    last_axis = maps[0].kind == "dense" and len(call.shape) > 1
    return place if fits and not last_axis else None


def _note_unused(network: nn.Module, called: set[str], excluded: dict[str, str]) -> None:
    inside = tuple(f"{name}." for name in called)
    for name, _ in network.named_parameters():
        layer = name.rpartition(".")[0]
        if layer not in called and not name.startswith(inside) and name not in excluded:
            excluded[name] = "not used by the forward pass"
