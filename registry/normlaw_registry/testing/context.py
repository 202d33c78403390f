"""A measuring point made without the platform, its norms by dense singular value decompositions."""

from __future__ import annotations

import copy
from functools import cache
from math import log, prod
from typing import TYPE_CHECKING, cast

from normlaw_registry.architecture import LinearMap, MapKind
from normlaw_registry.complexity import EntryNorms, MeasuredValue, MeasurementContext
from normlaw_registry.dataset import Split, Task
from normlaw_registry.errors import InputError, NormlawError

if TYPE_CHECKING:
    from torch import Tensor, nn


def measurement_context(
    network: nn.Module, task: Task, *, initial: nn.Module | None = None, train_size: int = 64
) -> MeasurementContext:
    """Return what a measure is given, for a small network of `nn.Linear`, `nn.Conv1d` and `nn.Conv2d` layers.

    Every norm is exact: the map is written out as a dense float64 matrix, so keep the inputs small. All
    Lipschitz constants are 1, as for ReLU. Inputs are standard normal, labels go through the classes in turn.

    Args:
        network: put into evaluation mode, else left as it is.
        task: what it is built for.
        initial: the network at step 0; by default a copy with weights drawn anew from a fixed seed.
        train_size: number of training examples.

    Raises:
        InputError: another layer of the network has parameters.

    """
    import torch

    network.eval()
    generator = torch.Generator().manual_seed(0)
    if initial is None:
        initial = copy.deepcopy(network)
        with torch.no_grad():
            for weight in initial.parameters():
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.1)
    inputs = torch.randn(train_size, *task.input_shape, generator=generator)  # (n, *input_shape)
    labels = torch.arange(train_size) % task.num_classes  # (n,)

    initial_maps = trace(initial, task)
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
        return _largest_singular_value(linear_map.name, dense_matrix(linear_map))

    @cache
    def train_logits() -> Tensor:
        with torch.no_grad():
            return cast("Tensor", network(inputs))  # (n, num_outputs)

    return MeasurementContext(
        linear_maps=trace(network, task),
        initial_linear_maps=initial_maps,
        entry_norms=entry_norms,
        moved_entry_norms=moved_entry_norms,
        kernel_norm=kernel_norm,
        operator_norm=operator_norm,
        network=network,
        task=task,
        train_batches=lambda: [
            Split(inputs=inputs[start : start + 32], labels=labels[start : start + 32])
            for start in range(0, train_size, 32)
        ],
        train_labels=labels,
        train_logits=train_logits,
    )


def trace(network: nn.Module, task: Task) -> list[LinearMap]:
    """Return the linear maps of the network's linear and convolutional layers in forward order.

    Raises:
        InputError: another layer of the network has parameters.

    """
    import torch
    from torch import nn

    maps: list[LinearMap] = []
    hooks = []
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d):

            def record(layer: nn.Module, args: tuple[Tensor], name: str = name) -> None:
                maps.append(_linear_map(layer, name, tuple(args[0].shape[1:])))

            hooks.append(layer.register_forward_pre_hook(record))
        elif any(True for _ in layer.parameters(recurse=False)):
            raise InputError(
                f"measurement_context knows nn.Linear, nn.Conv1d and nn.Conv2d; {name!r} is a "
                f"{type(layer).__name__}: test the measure on a network without it"
            )
    with torch.no_grad():
        network(torch.zeros(1, *task.input_shape))
    for hook in hooks:
        hook.remove()
    return maps


def _linear_map(layer: nn.Module, name: str, input_shape: tuple[int, ...]) -> LinearMap:
    from torch import nn

    if isinstance(layer, nn.Linear):
        return LinearMap(name=name, kind="dense", weight=layer.weight.detach().clone())
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    axes = len(layer.kernel_size)
    if layer.padding == "same":
        totals = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        padding = tuple((total // 2, total - total // 2) for total in totals)
    else:
        sizes = (0,) * axes if layer.padding == "valid" else cast("tuple[int, ...]", layer.padding)
        padding = tuple((size, size) for size in sizes)
    if layer.padding_mode not in ("zeros", "circular"):
        raise InputError(
            f"{name!r} pads by {layer.padding_mode!r}: measurement_context knows zeros and circular"
        )
    kind: MapKind = "conv1d" if axes == 1 else "conv2d"
    return LinearMap(
        name=name,
        kind=kind,
        weight=layer.weight.detach().clone(),
        input_size=input_shape[1:],
        stride=tuple(layer.stride),
        padding=padding,
        padding_mode="circular" if layer.padding_mode == "circular" else "zeros",
        dilation=tuple(layer.dilation),
        groups=layer.groups,
    )


def dense_matrix(linear_map: LinearMap) -> Tensor:
    """Return the map as it is applied, as a float64 matrix (outputs, inputs): one column a unit input."""
    import torch
    from torch.nn import functional

    weight = linear_map.weight.double()
    if linear_map.kind == "dense":
        return weight  # (out, in)
    channels = weight.shape[1] * linear_map.groups
    inputs = channels * prod(linear_map.input_size)
    units = torch.eye(inputs, dtype=torch.float64).reshape(inputs, channels, *linear_map.input_size)
    edges = [edge for sides in reversed(linear_map.padding) for edge in sides]
    mode = "circular" if linear_map.padding_mode == "circular" else "constant"
    convolve = functional.conv1d if linear_map.kind == "conv1d" else functional.conv2d
    outputs = convolve(
        functional.pad(units, edges, mode=mode),
        weight,
        stride=linear_map.stride,
        dilation=linear_map.dilation,
        groups=linear_map.groups,
    )  # (inputs, out, *output size)
    return outputs.flatten(start_dim=1).T


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
