"""A forward pass that adds up all paths of a ReLU network; imports torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from normlaw_registry import InputError

# Functions that leave non-negative numbers as they are, or move and add them: paths run through unchanged.
_UNCHANGED = re.compile(
    "relu|leaky_relu|dropout|dropout1d|dropout2d|add|iadd|radd|sum|cat|concat|stack|pad|flatten|view|reshape|"
    "permute|transpose|squeeze|unsqueeze|unflatten|chunk|split|expand|contiguous|clone|getitem|size|dim|to|double|"
    "float|get|set|len|format|repr"
)


Pass = Callable[..., Tensor]


class PathWeights(TorchFunctionMode):
    """Puts |w|^p in place of each weight w, leaves biases out, and adds where the network takes a maximum."""

    def __init__(self, order: int) -> None:
        super().__init__()
        self.order = order
        self._replacements: Mapping[str, Pass] = {
            "linear": self._linear,
            "conv1d": self._convolution(functional.conv1d),
            "conv2d": self._convolution(functional.conv2d),
            "batch_norm": self._batch_norm,
            "max_pool1d": self._max_pool(functional.avg_pool1d, 1),
            "max_pool2d": self._max_pool(functional.avg_pool2d, 2),
            "avg_pool1d": self._average(functional.avg_pool1d, 1),
            "avg_pool2d": self._average(functional.avg_pool2d, 2),
            "adaptive_avg_pool1d": self._adaptive(functional.adaptive_avg_pool1d),
            "adaptive_avg_pool2d": self._adaptive(functional.adaptive_avg_pool2d),
            "mean": self._mean,
        }

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Replace, pass on, or refuse one function."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "").strip("_")
        if (replacement := self._replacements.get(name)) is not None:
            return replacement(*args, **kwargs)
        if _UNCHANGED.fullmatch(name):
            return func(*args, **kwargs)
        if not any(isinstance(leaf, Tensor) for leaf in tree_leaves((args, dict(kwargs)))):
            return func(*args, **kwargs)
        raise InputError(
            f"path_norm is defined for ReLU networks alone: this one applies `{name}`, which gives its paths "
            "no weight of their own; leave path_norm out of the study for this architecture"
        )

    def _power(self, weight: Tensor) -> Tensor:
        return weight.detach().double().abs().pow(self.order)

    def _linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return functional.linear(x, self._power(weight))

    def _convolution(self, convolve: Pass) -> Pass:
        def replaced(
            x: Tensor, weight: Tensor, bias: Tensor | None = None, *args: Any, **kwargs: Any
        ) -> Tensor:
            del bias  # a path's weight has none
            return convolve(x, self._power(weight), None, *args, **kwargs)

        return replaced

    def _batch_norm(
        self,
        x: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
        *_: Any,
    ) -> Tensor:
        if training or running_var is None:
            raise InputError(
                "path_norm: a BatchNorm without running statistics gives its paths no weight of their own"
            )
        scale = torch.rsqrt(running_var.double() + eps)
        if weight is not None:
            scale = scale * weight.detach().double()
        return x * self._power(scale).reshape(1, -1, *(1,) * (x.dim() - 2))

    def _max_pool(self, average: Pass, axes: int) -> Pass:
        def replaced(
            x: Tensor,
            kernel_size: Any,
            stride: Any = None,
            padding: Any = 0,
            dilation: Any = 1,
            ceil_mode: bool = False,
            return_indices: bool = False,
        ) -> Tensor:
            if ceil_mode or return_indices or any(d != 1 for d in _each(dilation, axes)):
                raise _no_rule("a max-pooling that is dilated, rounds up or returns indices")
            # A sum: the average times the size of the window. Padding adds nothing.
            return average(x, kernel_size, stride or kernel_size, padding) * prod(_each(kernel_size, axes))

        return replaced

    def _average(self, average: Pass, axes: int) -> Pass:
        def replaced(
            x: Tensor,
            kernel_size: Any,
            stride: Any = None,
            padding: Any = 0,
            ceil_mode: bool = False,
            count_include_pad: bool = True,
            divisor_override: int | None = None,
        ) -> Tensor:
            if ceil_mode or divisor_override or (not count_include_pad and any(_each(padding, axes))):
                raise _no_rule("an average pooling whose windows have different divisors")
            y = average(x, kernel_size, stride or kernel_size, padding)
            return y / self._excess(prod(_each(kernel_size, axes)))

        return replaced

    def _adaptive(self, average: Pass) -> Pass:
        def replaced(x: Tensor, output_size: Any) -> Tensor:
            y: Tensor = average(x, output_size)
            axes = range(2, x.dim())
            if any(x.shape[axis] % y.shape[axis] for axis in axes):
                raise _no_rule("an adaptive pooling whose windows differ in size")
            return y / self._excess(prod(x.shape[axis] // y.shape[axis] for axis in axes))

        return replaced

    def _mean(self, x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        y = torch.mean(x, dim=dim, keepdim=keepdim) if dim is not None else torch.mean(x)
        return y / self._excess(x.numel() // y.numel())

    def _excess(self, size: int) -> float:
        """Return what an average of `size` numbers is too large by: its weights are 1/size, not 1/size^p."""
        return float(size) ** (self.order - 1)


def _no_rule(what: str) -> InputError:
    return InputError(
        f"path_norm: {what} has no rule for its paths; leave path_norm out of the study for this architecture"
    )


def _each(value: Any, axes: int) -> tuple[int, ...]:
    return (int(value),) * axes if isinstance(value, int) else tuple(value)


def sum_over_paths(network: nn.Module, input_shape: tuple[int, ...], order: int, scale: float) -> float:
    """Return `scale` times the sum over all paths of prod |w|^order.

    Raises:
        InputError: the network applies a function that is none of a ReLU network's.

    """
    device = next(network.parameters()).device
    ones = torch.full((1, *input_shape), scale, dtype=torch.float64, device=device)
    with torch.no_grad(), PathWeights(order):
        outputs = network(ones)  # (1, num_outputs)
    return float(outputs.double().sum())
