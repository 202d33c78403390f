"""Convolutions whose gradient is wrong in channels-last format on a CPU.

oneDNN (3.12, in torch 2.13), with which torch convolves on x86, writes past its workspace in the gradient of a
1x1 convolution of stride above 1 in channels-last format that has fewer input channels than a vector has
lanes: 8 with AVX2, 16 with AVX-512, in float32 and in bfloat16. The heap is damaged, or the gradient is wrong
without a word (https://github.com/uxlfoundation/oneDNN/issues/6035). The contiguous format takes another path,
which is right.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from normlaw_registry.dataset import Task
from normlaw_registry.errors import InputError
from normlaw_registry.linear.tracing import evaluation
from normlaw_registry.made_up import blank_inputs

LANES = 16
"""Float32 numbers in the widest vector."""
UPSTREAM = "https://github.com/uxlfoundation/oneDNN/issues/6035"


def endangered(network: nn.Module, task: Task) -> str:
    """Return what an endangered convolution of a contiguous network is; empty where it has none.

    The network is applied once, to zeros, which does no harm.

    Raises:
        InputError: the network itself lays out channels-last what such a convolution is given.

    """
    # a layer may convolve without being one of torch's
    watch = _Convolutions()  # type: ignore[no-untyped-call]
    with evaluation(network), watch:
        probe = next(network.parameters())
        blank = blank_inputs(task, 2).to(probe.device)
        network(blank.to(probe.dtype) if blank.is_floating_point() else blank)
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


class _Convolutions(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every convolution, whoever calls it."""

    found = ""
    turned = ""
    """One that is given channels-last images."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: else torch imports its compiler at the first call, most of a second for each worker."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.convolution.default and _is(args[1], args[3]):
            images = args[0]  # (b, channels, height, width)
            self.found = _described(args[1])
            if images.shape[1] > 1 and images.stride(1) < images.stride(3):
                self.turned = self.found
        return func(*args, **(kwargs or {}))
