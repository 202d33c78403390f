"""What each layer type is as linear maps: the built-in rules, the declared exclusions, Lipschitz constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from normlaw_registry.errors import InputError
from normlaw_registry.linear.more_rules import MORE_RULES, OWN_STATISTICS, TABLE
from normlaw_registry.linear_map import LayerRule, LinearMap, Operation

Shape = tuple[int, ...]


def linear(layer: nn.Module, name: str, shape: Shape) -> Sequence[LinearMap]:
    """Return the one map of an `nn.Linear`, applied to as many tokens as its input has."""
    weight = cast("Tensor", layer.weight)  # (out, in)
    return (LinearMap(name=name, operation="dense", weight=weight.detach(), positions=math.prod(shape[:-1])),)


def convolution(layer: nn.Module, name: str, shape: Shape) -> Sequence[LinearMap]:
    """Return the one map of an `nn.Conv1d` or `nn.Conv2d` at the input size it was called with.

    Raises:
        InputError: its padding mode is neither zeros nor circular.

    """
    assert isinstance(layer, (nn.Conv1d, nn.Conv2d))
    if layer.padding_mode not in ("zeros", "circular"):
        raise InputError(
            f"layer {name!r}: padding mode {layer.padding_mode!r} has no rule for its linear map; "
            "use zeros or circular, or give the architecture a layer rule for it"
        )
    axes = len(layer.kernel_size)
    operation: Operation = "conv1d" if axes == 1 else "conv2d"
    return (
        LinearMap(
            name=name,
            operation=operation,
            weight=layer.weight.detach().contiguous(),  # (out, in/groups, *kernel), whatever its memory layout
            input_size=tuple(shape[-axes:]),
            stride=tuple(layer.stride),
            padding=_padding(layer),
            padding_mode=cast("Any", layer.padding_mode),
            dilation=tuple(layer.dilation),
            groups=layer.groups,
        ),
    )


def _padding(layer: nn.Conv1d | nn.Conv2d) -> tuple[tuple[int, int], ...]:
    if layer.padding == "valid":
        return tuple((0, 0) for _ in layer.kernel_size)
    if layer.padding == "same":
        totals = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((int(p), int(p)) for p in cast("tuple[int, ...]", layer.padding))


def attention(layer: nn.Module, name: str, shape: Shape) -> Sequence[LinearMap]:
    """Return query, key, value and output projection of an `nn.MultiheadAttention`, all heads together."""
    assert isinstance(layer, nn.MultiheadAttention)
    if layer.in_proj_weight is not None:
        weights = layer.in_proj_weight.detach().chunk(3)  # three times (embed, embed)
    else:
        weights = tuple(
            cast("Tensor", w).detach() for w in (layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight)
        )
    parts = (*zip(("query", "key", "value"), weights, strict=True), ("output", layer.out_proj.weight.detach()))
    tokens = math.prod(shape[:-1])
    return tuple(
        LinearMap(name=f"{name}.{part}", operation="dense", weight=weight, positions=tokens)
        for part, weight in parts
    )


RULES: Mapping[type[nn.Module], LayerRule] = {
    nn.Linear: linear,
    nn.Conv1d: convolution,
    nn.Conv2d: convolution,
    nn.MultiheadAttention: attention,
    **MORE_RULES,
}

EXCLUSIONS: Mapping[type[nn.Module], str] = {
    nn.LayerNorm: OWN_STATISTICS,
    nn.GroupNorm: OWN_STATISTICS,
    nn.RMSNorm: OWN_STATISTICS,
    nn.InstanceNorm1d: OWN_STATISTICS,
    nn.InstanceNorm2d: OWN_STATISTICS,
    nn.Embedding: TABLE,
    nn.EmbeddingBag: TABLE,
}

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
NO_STATISTICS = "normalisation by the batch's own statistics (track_running_stats=False): not a linear map"


def batch_norm_scale(layer: nn.Module) -> Tensor:
    """Return gamma / sqrt(running variance + eps), (features,) in float64: the layer's factor in evaluation."""
    assert isinstance(layer, BATCH_NORMS)
    assert layer.running_var is not None
    scale = torch.rsqrt(layer.running_var.detach().double() + layer.eps)
    return scale if layer.weight is None else scale * layer.weight.detach().double()


def batch_norm(layer: nn.Module, name: str, shape: Shape) -> Sequence[LinearMap]:
    """Return a batch normalisation that no map precedes, as what it is in evaluation: a depthwise 1x1 map."""
    scale = batch_norm_scale(layer)  # (features,)
    size = tuple(shape[1:]) or (1,)
    axes = len(size)
    return (
        LinearMap(
            name=name,
            operation="conv1d" if axes == 1 else "conv2d",
            weight=scale.reshape(-1, *(1,) * (axes + 1)),  # (features, 1, 1[, 1])
            input_size=size,
            stride=(1,) * axes,
            padding=((0, 0),) * axes,
            dilation=(1,) * axes,
            groups=len(scale),
        ),
    )


def _pooling(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> float:
    # An input that lies in n overlapping windows is counted n times at most: sqrt(n) in the 2-norm.
    axes = max(cast("Tensor", args[0]).dim() - 2, 1)
    kernel = args[1] if len(args) > 1 else kwargs["kernel_size"]
    stride = (args[2] if len(args) > 2 else kwargs.get("stride")) or kernel
    overlap = 1
    for k, s in zip(_each(kernel, axes), _each(stride, axes), strict=True):
        overlap *= math.ceil(k / s)
    return math.sqrt(overlap)


def _each(value: int | Sequence[int], axes: int) -> Sequence[int]:
    if isinstance(value, int):
        return (value,) * axes
    return tuple(value) * axes if len(value) == 1 else value


def _leaky(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> float:
    slope = args[1] if len(args) > 1 else kwargs.get("negative_slope", 0.01)
    return max(1.0, abs(float(slope)))


def _elu(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> float:
    alpha = args[1] if len(args) > 1 else kwargs.get("alpha", 1.0)
    return max(1.0, abs(float(alpha)))


LIPSCHITZ: Mapping[str, float | Callable[[tuple[Any, ...], Mapping[str, Any]], float]] = {
    "relu": 1.0,
    "relu6": 1.0,
    "hardtanh": 1.0,
    "tanh": 1.0,
    "softplus": 1.0,
    "sigmoid": 0.25,
    "gelu": 1.1289,  # x Phi(x) is steepest at sqrt(2): 1.12890
    "silu": 1.0998,
    "mish": 1.0885,
    "hardswish": 1.5,
    "selu": 1.7581,  # scale * alpha, from below zero
    "leaky_relu": _leaky,
    "elu": _elu,
    "max_pool1d": _pooling,
    "max_pool2d": _pooling,
    "avg_pool1d": 1.0,
    "avg_pool2d": 1.0,
}
"""Lipschitz constant in the 2-norm by function name, to four decimals; other functions count as 1."""
