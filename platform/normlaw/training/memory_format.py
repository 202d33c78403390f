"""Which memory format a network has on its device: the one asked for, unless torch computes wrongly in it.

oneDNN (3.12, in torch 2.13), with which torch convolves on x86, writes past its workspace in the gradient of a
1x1 convolution of stride above 1 in channels-last format that has fewer input channels than a vector has
lanes: 8 with AVX2, 16 with AVX-512, in float32 and in bfloat16. The heap is damaged, or the gradient is wrong
without a word (https://github.com/uxlfoundation/oneDNN/issues/6035). The contiguous format takes another path,
which is right. So a network with such a convolution stays contiguous on a CPU, whatever instructions the
processor has: a run is laid out the same way everywhere. Padded and grouped ones, right wherever they were
tried, count too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from normlaw.options import Compute
from normlaw.training.tracing import evaluation
from normlaw_registry import InputError

LANES = 16
"""Float32 numbers in the widest vector."""
UPSTREAM = "https://github.com/uxlfoundation/oneDNN/issues/6035"
RULE = 1
"""Counts the changes of the rule: a run is not gone on with under another one."""

Name = Literal["channels_last", "contiguous"]


@dataclass(frozen=True)
class MemoryFormat:
    """What a network's images and weights are laid out as."""

    used: Name
    reason: str = ""
    """Why it is not the one asked for."""
    endangered: bool = False
    """Whether channels-last images would damage the heap, whoever lays them out so."""

    @property
    def torch(self) -> torch.memory_format:
        """As torch names it."""
        return torch.channels_last if self.used == "channels_last" else torch.contiguous_format


STACKED = MemoryFormat("contiguous", "stacked weights have five axes, for which channels_last is no format")


def memory_format(
    network: nn.Module, compute: Compute, device: str, input_shape: tuple[int, ...]
) -> MemoryFormat:
    """Return the format of a network, which is on the CPU still, in contiguous format.

    Args:
        network: as it was built.
        compute: what was asked for.
        device: where it is to be trained.
        input_shape: of one input; the network is applied once, to zeros.

    Raises:
        InputError: the network itself lays out channels-last what a convolution is given that cannot take it.

    """
    asked: Name = "channels_last" if compute.channels_last else "contiguous"
    if not any(parameter.dim() == 4 for parameter in network.parameters()):
        return MemoryFormat("contiguous", "no weight has four axes" if compute.channels_last else "")
    if torch.device(device).type != "cpu":
        return MemoryFormat(asked)
    found = _endangered(network, input_shape)
    if not found:
        return MemoryFormat(asked)
    reason = f"{found}, whose gradient oneDNN computes wrongly in channels_last: {UPSTREAM}"
    return MemoryFormat("contiguous", reason if compute.channels_last else "", endangered=True)


def _endangered(network: nn.Module, input_shape: tuple[int, ...]) -> str:
    """Return what an endangered convolution of a contiguous network is; empty where it has none."""
    # a layer may convolve without being one of torch's
    watch = _Convolutions()  # type: ignore[no-untyped-call]
    with evaluation(network), watch:
        probe = next(network.parameters())
        network(torch.zeros(2, *input_shape, dtype=probe.dtype, device=probe.device))
    if watch.turned:
        raise InputError(
            f"the network itself lays out channels-last what it gives to a {watch.turned}: on a CPU its "
            f"gradient is wrong or damages memory ({UPSTREAM}); call `.contiguous()` on the images before it"
        )
    for name, layer in network.named_modules():  # some are perhaps called in training alone
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and _is(layer.weight, layer.stride):
            return f"layer {name!r} is a {_described(layer.weight)}"
    return f"it has a {watch.found}" if watch.found else ""


def _is(weight: Tensor, stride: Any) -> bool:
    # Of a transposed convolution axis 1 is its outputs', which its gradient takes as inputs.
    return (
        weight.dim() == 4
        and weight.shape[1] < LANES
        and tuple(weight.shape[2:]) == (1, 1)
        and any(step > 1 for step in stride)
    )


def _described(weight: Tensor) -> str:
    return f"1x1 convolution of stride above 1 with {weight.shape[1]} channels"


def untouched(weights: Iterable[Tensor]) -> bool:
    """Return whether a network with these weights was laid out the same before there was a rule."""
    return not any(
        weight.dim() == 4 and weight.shape[1] < LANES and tuple(weight.shape[2:]) == (1, 1)
        for weight in weights
    )


class _Convolutions(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every convolution, whoever calls it."""

    found = ""
    turned = ""
    """One that is given channels-last images."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.convolution.default and _is(args[1], args[3]):
            images = args[0]  # (b, channels, height, width)
            self.found = _described(args[1])
            if images.shape[1] > 1 and images.stride(1) < images.stride(3):
                self.turned = self.found
        return func(*args, **(kwargs or {}))
