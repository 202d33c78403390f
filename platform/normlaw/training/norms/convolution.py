"""A convolution as the linear map that it is at its real input size, with its exact adjoint."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from normlaw_registry import LinearMap


@dataclass(frozen=True)
class Convolution:
    """y = A x for x of shape (batch, channels, *input_size): a cross-correlation."""

    weight: Tensor
    linear_map: LinearMap

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input: (channels, *input_size)."""
        return (self.weight.shape[1] * self.linear_map.groups, *self.linear_map.input_size)

    def apply(self, x: Tensor) -> Tensor:
        """Return A x, (batch, out, *output_size)."""
        m = self.linear_map
        convolve = functional.conv1d if m.kind == "conv1d" else functional.conv2d
        return convolve(self._pad(x), self.weight, stride=m.stride, dilation=m.dilation, groups=m.groups)

    def adjoint(self, y: Tensor) -> Tensor:
        """Return A^T y, (batch, channels, *input_size)."""
        m = self.linear_map
        transpose = functional.conv_transpose1d if m.kind == "conv1d" else functional.conv_transpose2d
        padded = [n + a + b for n, (a, b) in zip(m.input_size, m.padding, strict=True)]
        reach = [d * (k - 1) + 1 for d, k in zip(m.dilation, self.weight.shape[2:], strict=True)]
        unread = [
            (n - r) % s for n, r, s in zip(padded, reach, m.stride, strict=True)
        ]  # never met by the kernel
        x = transpose(
            y, self.weight, stride=m.stride, dilation=m.dilation, groups=m.groups, output_padding=unread
        )  # (batch, channels, *padded)
        return self._fold(x)

    def apply_flat(self, x: Tensor) -> Tensor:
        """Return A x for flattened inputs (batch, inputs), flattened: (batch, outputs)."""
        return self.apply(x.view(-1, *self.input_shape)).flatten(1)

    def normal(self, x: Tensor) -> Tensor:
        """Return A^T A x for flattened inputs, (batch, inputs)."""
        return self.adjoint(self.apply(x.view(-1, *self.input_shape))).flatten(1)

    def matrix(self) -> Tensor:
        """Return A as a matrix, (outputs, inputs): for small maps alone."""
        eye = torch.eye(math.prod(self.input_shape), dtype=self.weight.dtype, device=self.weight.device)
        return self.apply_flat(eye).T

    def _pad(self, x: Tensor) -> Tensor:
        if not any(any(p) for p in self.linear_map.padding):
            return x
        flat = [p for axis in reversed(self.linear_map.padding) for p in axis]
        if self.linear_map.padding_mode == "circular":
            return functional.pad(x, flat, mode="circular")
        return functional.pad(x, flat)

    def _fold(self, x: Tensor) -> Tensor:
        """Return the adjoint of the padding: cut it off or, where circular, add it to where it came from."""
        m = self.linear_map
        for axis, (size, (before, after)) in enumerate(zip(m.input_size, m.padding, strict=True), start=2):
            inner = x.narrow(axis, before, size)
            if m.padding_mode == "circular" and before + after:
                inner = inner.clone()
                if before:
                    inner.narrow(axis, size - before, before).add_(x.narrow(axis, 0, before))
                if after:
                    inner.narrow(axis, 0, after).add_(x.narrow(axis, before + size, after))
            x = inner
        return x

    def to(self, dtype: torch.dtype, scale: float) -> Convolution:
        """Return the map divided by `scale`, in another precision."""
        return Convolution(self.weight.to(dtype, copy=True).div_(scale), self.linear_map)
