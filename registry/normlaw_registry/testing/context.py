"""A measuring point made without the platform, its norms by dense singular value decompositions."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache
from math import log
from typing import TYPE_CHECKING, cast

from normlaw_registry.architecture import Architecture
from normlaw_registry.complexity import EntryNorms, MeasuredValue
from normlaw_registry.dataset import Split, Task
from normlaw_registry.errors import NormlawError
from normlaw_registry.host.measuring_point import MeasuringPoint
from normlaw_registry.linear_map import LinearMap
from normlaw_registry.made_up import random_split

if TYPE_CHECKING:
    from torch import Tensor, nn


def measurement_context(
    network: nn.Module,
    task: Task,
    *,
    initial: nn.Module | None = None,
    train_size: int = 64,
    architecture: Architecture | None = None,
) -> MeasuringPoint:
    """Return what a measure is given, for any small network whose linear maps normlaw finds.

    Every norm is exact: the map is written out as a dense float64 matrix, so keep the inputs small.
    Inputs are standard normal, labels go through the classes in turn, targets are standard normal; tokens are
    equally likely.

    Args:
        network: put into evaluation mode, else left as it is.
        task: what it is built for.
        initial: the network at step 0; by default a copy with weights drawn anew from a fixed seed.
        train_size: number of training examples.
        architecture: where the network comes from, if that has rules of its own for linear maps.

    Raises:
        InputError: a layer with weights has no rule for its linear maps; names it.

    """
    import torch

    from normlaw_registry.linear import LinearMapPlan

    network.eval()
    generator = torch.Generator().manual_seed(0)
    if initial is None:
        initial = copy.deepcopy(network)
        with torch.no_grad():
            for weight in initial.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.1)
    drawn = random_split(task, train_size, generator)
    inputs, labels = drawn.inputs, drawn.labels  # (n, *input_shape), (n, ...)
    if task.kind == "classification":
        labels = torch.arange(train_size) % task.num_classes  # (n,)

    plan = LinearMapPlan.of(network, task, architecture)
    maps, initial_maps = list(plan.linear_maps(network)), list(plan.linear_maps(initial))
    matrix_at_start = {one.name: one.matrix() for one in initial_maps}

    @cache
    def entry_norms(linear_map: LinearMap) -> EntryNorms:
        return _entry_norms(linear_map.name, linear_map.matrix())

    @cache
    def moved_entry_norms(linear_map: LinearMap) -> EntryNorms:
        return _entry_norms(linear_map.name, linear_map.matrix() - matrix_at_start[linear_map.name])

    @cache
    def kernel_norm(linear_map: LinearMap) -> MeasuredValue:
        return _largest_singular_value(linear_map.name, linear_map.matrix())

    @cache
    def operator_norm(linear_map: LinearMap) -> MeasuredValue:
        return _largest_singular_value(linear_map.name, _in_float64(linear_map).applied_matrix())

    @cache
    def singular_values(linear_map: LinearMap) -> tuple[float, ...]:
        return tuple(torch.linalg.svdvals(_finite(linear_map.name, linear_map.matrix())).tolist())

    @cache
    def train_logits() -> Tensor:
        with torch.no_grad():
            return cast("Tensor", network(inputs))  # (n, num_outputs)

    return MeasuringPoint(
        linear_maps=maps,
        initial_linear_maps=initial_maps,
        entry_norms=entry_norms,
        moved_entry_norms=moved_entry_norms,
        kernel_norm=kernel_norm,
        operator_norm=operator_norm,
        singular_values=singular_values,
        network=network,
        task=task,
        train_batches=lambda: [
            Split(inputs=inputs[start : start + 32], labels=labels[start : start + 32])
            for start in range(0, train_size, 32)
        ],
        train_labels=labels,
        train_logits=train_logits,
    )


def _in_float64(linear_map: LinearMap) -> LinearMap:
    return replace(linear_map, weight=linear_map.weight.double())


def _largest_singular_value(name: str, matrix: Tensor) -> MeasuredValue:
    import torch

    largest = float(torch.linalg.svdvals(_finite(name, matrix)).max())
    if largest == 0:
        raise NormlawError(f"layer {name!r}: the weight is zero, its norm has no logarithm")
    return MeasuredValue(log_value=log(largest))


def _entry_norms(name: str, matrix: Tensor) -> EntryNorms:
    entries = _finite(name, matrix)  # (out, in)
    return EntryNorms(
        l1=float(entries.abs().sum()),
        frobenius=float(entries.norm()),
        rows_2_1=float(entries.norm(dim=1).sum()),
        columns_2_1=float(entries.norm(dim=0).sum()),
    )


def _finite(name: str, matrix: Tensor) -> Tensor:
    if not matrix.isfinite().all():
        raise NormlawError(f"layer {name!r}: the weight is not finite")
    return matrix.double()
