"""From the calls of one forward pass to the maps: which rule serves a layer, and what is folded or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from torch import nn

from normlaw_registry.linear.example import Example
from normlaw_registry.linear.more_rules import OWN_STATISTICS, elsewhere, factors, is_normalisation, left_out
from normlaw_registry.linear.rules import (
    BATCH_NORMS,
    EXCLUSIONS,
    NO_STATISTICS,
    batch_norm,
    linear,
)
from normlaw_registry.linear.steps import Step
from normlaw_registry.linear.tracing import Call, record
from normlaw_registry.linear_map import LayerRule, LinearMap


def resolve(
    network: nn.Module, example: Example, rules: Mapping[type[nn.Module], LayerRule]
) -> tuple[list[Step], dict[str, str]]:
    """Run a network once; return a step for each map that it applies, and what is no map by its reason.

    Raises:
        InputError: a layer with weights has no rule; names it and says how a plugin supplies one.

    """

    excluded = left_out(network)
    declared = {id(module) for name, module in network.named_modules() if name in excluded}

    def known(layer: nn.Module) -> bool:
        return (
            id(layer) in declared
            or isinstance(layer, BATCH_NORMS)
            or _lookup(layer, rules) is not None
            or _excluded(layer) is not None
        )

    calls, bare = record(network, example, known, excluded)
    steps: list[Step] = []
    step_of: dict[int, int] = {}  # id of a call -> its place in `steps`
    repeats: dict[str, int] = {}
    for call in calls:
        owner = call.name.rpartition(".")[0] if call.bare is not None else call.name
        layer = network.get_submodule(owner)
        rule = _lookup(layer, rules) if call.bare is None else _bare_rule(call, layer, rules)
        if rule is None and isinstance(layer, BATCH_NORMS):
            if (why := _left_out(call, steps, step_of, network, layer)) is not None:
                excluded[call.name] = why
            else:
                rule = batch_norm
        elif rule is None:
            excluded.setdefault(call.name, _excluded(layer) or "")
        parts = len(rule(layer, owner, call.shape)) if rule is not None else 0
        if rule is not None and parts:
            repeats[call.name] = repeats.get(call.name, 0) + 1
            step_of[id(call)] = len(steps)
            steps.append(Step(owner, rule, call.shape, parts, repeat=repeats[call.name]))
        elif rule is not None:
            excluded[call.name] = "left out by the architecture's layer rule"
        if steps:  # a nonlinearity counts for the last map before it
            steps[-1] = replace(steps[-1], lipschitz=steps[-1].lipschitz * call.lipschitz)
    for name in bare:
        excluded[name] = "a parameter that is added to or joined with the features, as a bias is"
    _note_unused(network, {call.name for call in calls}, excluded)
    return steps, excluded


def _lookup(layer: nn.Module, rules: Mapping[type[nn.Module], LayerRule]) -> LayerRule | None:
    found = next((rules[kind] for kind in type(layer).__mro__ if kind in rules), None)
    return found or elsewhere(layer)


def _bare_rule(call: Call, layer: nn.Module, rules: Mapping[type[nn.Module], LayerRule]) -> LayerRule:
    """Return the rule for a weight that was used outside of its layer's own call."""
    assert call.bare is not None
    attribute = call.name.rpartition(".")[2]
    if isinstance(layer, nn.Linear) and attribute == "weight" and not (call.bare.turned or call.bare.factor):
        return _lookup(layer, rules) or linear  # as the layer itself would be

    def rule(layer: nn.Module, _name: str, shape: tuple[int, ...]) -> Sequence[LinearMap]:
        assert call.bare is not None
        weight = layer.get_parameter(attribute).detach()
        if call.bare.factor:
            return (factors(call.name, weight, shape, call.bare.axis),)
        matrix = weight.T if call.bare.turned else weight
        tokens = prod(shape[:-1])
        return (LinearMap(name=call.name, operation="dense", weight=matrix, positions=tokens),)

    return rule


def _excluded(layer: nn.Module) -> str | None:
    found = next((EXCLUSIONS[kind] for kind in type(layer).__mro__ if kind in EXCLUSIONS), None)
    return OWN_STATISTICS if found is None and is_normalisation(layer) else found


def _left_out(
    call: Call,
    steps: list[Step],
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
    call: Call, steps: Sequence[Step], step_of: Mapping[int, int], network: nn.Module, layer: nn.Module
) -> int | None:
    source = call.source
    if source is None or source.consumers != 1 or (place := step_of.get(id(source))) is None:
        return None
    step = steps[place]
    maps = step.maps(network)
    fits = len(maps) == 1 and maps[0].weight.shape[0] == layer.num_features and step.batch_norm is None
    # A dense map followed by a normalisation over another axis than its outputs is not scaled row by row.
    last_axis = maps[0].operation == "dense" and len(call.shape) > 1
    return place if fits and not last_axis else None


def _note_unused(network: nn.Module, called: set[str], excluded: dict[str, str]) -> None:
    inside = tuple(f"{name}." for name in called)
    shared = {id(p) for path, module in network.named_modules() if path in called for p in module.parameters()}
    for name, parameter in network.named_parameters():  # of shared ones the first name
        layer = name.rpartition(".")[0]
        used = layer in called or name in called or id(parameter) in shared
        if not used and not name.startswith(inside) and name not in excluded:
            excluded[name] = "not used by the forward pass"
