"""How a run's network is applied: memory layout, precision and compilation, as its specification says."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from normlaw.study.run_options import Compute
from normlaw.training.memory_format import MemoryFormat, memory_format
from normlaw_registry import InputError, NormlawError, Task

COMPILERS = ("g++", "clang++", "c++", "gcc", "clang")


def make_repeatable(device: str) -> None:
    """Let torch take only algorithms that repeat their bits, without writing NaN into new tensors first."""
    # as use_deterministic_algorithms does, which imports the compiler to tell it: see `Forward`
    torch.set_deterministic_debug_mode("error" if device == "cpu" else "warn")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def laid_out(network: nn.Module, compute: Compute, device: str, task: Task) -> tuple[nn.Module, MemoryFormat]:
    """Return a network that was just built on its device, and the memory format that it got there.

    Raises:
        InputError: see `memory_format`.

    """
    network = network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    used = memory_format(network, compute, device, task)
    return network.to(device=device, memory_format=used.torch), used  # type: ignore[call-overload]


@contextmanager
def arithmetic(compute: Compute, device: torch.device) -> Iterator[None]:
    """Do products of matrices and convolutions in the chosen precision; parameters stay in float32."""
    with ExitStack() as contexts:
        if compute.precision == "bfloat16":
            contexts.enter_context(torch.autocast(device.type, torch.bfloat16))
            if device.type == "cpu":  # there the gradient of fused attention is slow in bfloat16
                contexts.enter_context(sdpa_kernel(SDPBackend.MATH))
        yield


class Forward:
    """A network as a run applies it: outputs in float32, (b, *output_shape), whatever the precision within.

    It shares the network's parameters and its mode.

    Args:
        network: on its device.
        compute: how it is applied.
        layout: the memory format that it has there.

    Raises:
        InputError: compilation is asked for on a CPU, and there is no C++ compiler.

    """

    def __init__(self, network: nn.Module, compute: Compute, layout: MemoryFormat) -> None:
        self._compute = compute
        self._network: Callable[[Tensor], Tensor] = network
        self._device = next((p.device for p in network.parameters()), torch.device("cpu"))
        if compute.compile != "off":
            if self._device.type == "cpu":
                _require_compiler()
            on_cpu = self._device.type == "cpu"
            torch.use_deterministic_algorithms(True, warn_only=not on_cpu)  # the compiler's too
            self._network = torch.compile(network, dynamic=False, options=_compiler_options(compute, layout))

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the network's outputs on inputs, (b, *input_shape).

        Raises:
            NormlawError: the network cannot be compiled.

        """
        # a context that changes nothing would take a fiftieth of a small network's time
        with nullcontext() if self._compute.precision == "float32" else arithmetic(self._compute, self._device):
            if self._compute.compile == "off":
                return self._network(inputs).float()
            try:
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
                outputs = self._network(inputs).float()
                return outputs.clone()  # a CUDA graph writes its next outputs into the same memory
            except Exception as error:
                if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                    raise
                reason = str(error).strip().splitlines()[0]
                raise NormlawError(
                    f"torch.compile failed: {reason}; leave `compute.compile` off for this network"
                ) from error


def _require_compiler() -> None:
    named = os.environ.get("CXX")
    if not any(shutil.which(name) for name in ((named,) if named else COMPILERS)):
        raise InputError(
            f"`compute.compile` on a CPU needs a C++ compiler, and there is no {named or 'g++'}: install one, "
            "or leave `compute.compile` off"
        )


def _compiler_options(compute: Compute, layout: MemoryFormat) -> dict[str, Any]:
    """Return a mode's options; on a CPU the compiler lays images out channels-last unless it is told not to."""
    options = dict(torch._inductor.list_mode_options(compute.compile))
    return options | ({"layout_optimization": False} if layout.endangered else {})
