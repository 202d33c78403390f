"""Operator norm of a convolution with circular padding, from its transfer function."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from normlaw.training.norms.entries import CHUNK
from normlaw_registry import LinearMap


def has_circular_norm(linear_map: LinearMap) -> bool:
    """Return whether every input is treated alike: circular 'same' padding and strides that divide the size."""
    if linear_map.padding_mode != "circular":
        return False
    return all(
        sum(padding) == dilation * (kernel - 1) and size % stride == 0
        for size, kernel, stride, dilation, padding in zip(
            linear_map.input_size,
            linear_map.weight.shape[2:],
            linear_map.stride,
            linear_map.dilation,
            linear_map.padding,
            strict=True,
        )
    )


def circular_norm(linear_map: LinearMap, scale: float) -> float:
    """Return the largest singular value of the map divided by `scale`.

    A circular convolution is diagonalised by the Fourier transform into one matrix (out, in/groups) for each
    frequency and group (Sedghi, Gupta, Long 2019). A stride s keeps every s-th output, which folds s
    frequencies of each axis onto one: their matrices stand side by side, divided by sqrt(s).
    """
    m = linear_map
    axes = range(len(m.stride))
    transfer = torch.fft.fftn(_spread(m, scale), dim=[2 + axis for axis in axes])  # (out, in/groups, *size)
    n_out, n_in = len(transfer) // m.groups, transfer.shape[1]
    split = [n for size, stride in zip(m.input_size, m.stride, strict=True) for n in (stride, size // stride)]
    folded = transfer.reshape(m.groups, n_out, n_in, *split)  # (groups, out/g, in/g, s_1, size_1/s_1, ..)
    folded = folded.permute(0, *(4 + 2 * axis for axis in axes), 1, 2, *(3 + 2 * axis for axis in axes))
    frequencies = folded.reshape(-1, n_out, n_in * math.prod(m.stride))  # side by side: what one alias covers
    largest = 0.0
    for some in torch.split(frequencies, max(1, CHUNK // max(1, frequencies[0].numel()))):
        gram = some @ some.mH if n_out <= some.shape[2] else some.mH @ some
        largest = max(largest, float(torch.linalg.eigvalsh(gram)[:, -1].max()))
    return math.sqrt(largest / math.prod(m.stride))


def _spread(m: LinearMap, scale: float) -> Tensor:
    """Return the kernel over the whole input, (out, in/groups, *size) in float64, taps wrapped around."""
    kernel = m.weight.double() / scale
    for axis, (size, dilation) in enumerate(zip(m.input_size, m.dilation, strict=True), start=2):
        shape = list(kernel.shape)
        places = torch.arange(shape[axis], device=kernel.device) * dilation % size
        shape[axis] = size
        kernel = kernel.new_zeros(shape).index_add(axis, places, kernel)
    return kernel
