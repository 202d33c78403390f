"""The singular values of a network's maps at successive measuring points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from normlaw.training.norms.block_lanczos import BLOCK, leading_right_singular_vectors
from normlaw.training.norms.circular import circular_norm, has_circular_norm
from normlaw.training.norms.entries import CHUNK, all_zero, not_finite
from normlaw.training.norms.kernel import RESIDUAL, largest_singular_value
from normlaw_registry import LinearMap, MeasuredValue

TOLERANCE = 1e-7
"""Relative error of a convolution's norm at which its iteration stops."""
DENSE_INPUTS = 64
"""Up to this many inputs a convolution is written out as a matrix."""
SURE = 1e-5
"""Where float32 and float64 disagree by more on the norm of one vector, the iteration is done in float64."""


class SingularValues:
    """Largest singular values of linear maps; holds the vectors that the next measuring point starts from.

    The same weights and the same state give the same bits.
    """

    def __init__(self) -> None:
        self._vectors: dict[str, Tensor] = {}

    def kernel_norm(self, linear_map: LinearMap) -> MeasuredValue:
        """Return the log of the largest singular value of `linear_map.matrix()`.

        Raises:
            NormlawError: the weight is zero or not finite; names the layer.

        """
        return _measured(largest_singular_value(linear_map.matrix()), linear_map, RESIDUAL)

    def operator_norm(self, linear_map: LinearMap) -> MeasuredValue:
        """Return the log of the largest singular value of the map as it is applied.

        Dense maps, and convolutions whose patches do not overlap, have that of their matrix. Convolutions
        with circular padding have it read off their transfer function; all others are iterated upon.

        Raises:
            NormlawError: the weight is zero or not finite; names the layer.

        """
        if linear_map.operation == "dense":
            return self.kernel_norm(linear_map)
        scale = max(abs(float(extreme)) for extreme in linear_map.weight.aminmax())
        _measured(scale, linear_map, 0.0)
        if not linear_map.transposed and _patches_apart(linear_map):
            return _measured(_grouped_norm(linear_map), linear_map, RESIDUAL)
        if has_circular_norm(linear_map):
            return _measured(scale * circular_norm(linear_map, scale), linear_map, RESIDUAL)
        if math.prod(linear_map.input_shape) <= DENSE_INPUTS:
            exact = _divided(linear_map, scale, torch.float64)
            return _measured(scale * largest_singular_value(exact.applied_matrix()), linear_map, RESIDUAL)
        value, error = self._iterate(linear_map, scale)
        return _measured(scale * value, linear_map, error)

    def _iterate(self, linear_map: LinearMap, scale: float) -> tuple[float, float]:
        """Return the norm of the convolution divided by `scale`, and its relative error.

        The vectors are found in float32, which is several times faster on a CPU; the norm of A x for the
        vector found is taken in float64, so that an error of x enters it squared.
        """
        start = self._start(linear_map)
        precisions = (
            (torch.float32, torch.float64) if linear_map.weight.device.type == "cpu" else (torch.float64,)
        )
        value = error = math.inf
        for precision in precisions:
            divided = _divided(linear_map, scale, precision)
            normal = partial(_normal_flat, divided)
            found = leading_right_singular_vectors(normal, start.to(divided.weight), TOLERANCE)
            start, error = found.vectors, found.error
            rough = float(torch.linalg.vector_norm(_apply_flat(divided, start[:1])))
            value = _image_norm(linear_map, start[:1].double()) / scale
            if error <= TOLERANCE and abs(rough - value) <= SURE * value:
                break
        self._vectors[linear_map.name] = start.float().cpu()
        return value, error

    def _start(self, linear_map: LinearMap) -> Tensor:
        """Return the vectors to start from, (BLOCK, inputs): those of the last time and a random one."""
        inputs = math.prod(linear_map.input_shape)
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randn(BLOCK, inputs, generator=generator)
        last = self._vectors.get(linear_map.name)
        if last is None or last.shape[1] != inputs:
            return drawn
        return torch.cat([last[: BLOCK - 1], drawn[:1] / math.sqrt(inputs)])

    def state_dict(self) -> dict[str, Tensor]:
        """Return the vectors that the next measuring point starts from, by the map's name."""
        return dict(self._vectors)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over the vectors of another instance."""
        self._vectors = dict(state)


def _divided(linear_map: LinearMap, scale: float, precision: torch.dtype) -> LinearMap:
    """Return the map divided by `scale`, in another precision."""
    return replace(linear_map, weight=linear_map.weight.to(precision, copy=True).div_(scale))


def _apply_flat(linear_map: LinearMap, x: Tensor) -> Tensor:
    """Return A x for flattened inputs (batch, inputs), flattened: (batch, outputs)."""
    return linear_map.apply(x.view(-1, *linear_map.input_shape)).flatten(1)


def _normal_flat(linear_map: LinearMap, x: Tensor) -> Tensor:
    """Return A^T A x for flattened inputs, (batch, inputs)."""
    return linear_map.normal(x.view(-1, *linear_map.input_shape)).flatten(1)


def _image_norm(linear_map: LinearMap, x: Tensor) -> float:
    """Return |A x| / |x| in float64, x of shape (1, inputs); a few output channels at a time."""
    weight = linear_map.weight
    rows = len(weight) if linear_map.groups > 1 else max(1, CHUNK // weight[0].numel())
    squares = 0.0
    for some in torch.split(weight, rows):
        squares += float(_apply_flat(replace(linear_map, weight=some.double()), x).square().sum())
    return math.sqrt(squares) / float(torch.linalg.vector_norm(x))


def _patches_apart(linear_map: LinearMap) -> bool:
    """Return whether no input is read twice and one patch lies wholly inside: A A^T is then block-diagonal."""
    axes = zip(
        linear_map.input_size,
        linear_map.weight.shape[2:],
        linear_map.stride,
        linear_map.dilation,
        linear_map.padding,
        strict=True,
    )
    for size, kernel, stride, dilation, (before, after) in axes:
        reach = dilation * (kernel - 1) + 1
        if stride < reach or (linear_map.padding_mode == "circular" and before + after):
            return False
        first_inside = -(-before // stride) * stride - before
        if first_inside + reach > size:
            return False
    return True


def _grouped_norm(linear_map: LinearMap) -> float:
    if linear_map.groups == 1:
        return largest_singular_value(linear_map.matrix())
    matrix = linear_map.matrix().double()
    blocks = matrix.reshape(linear_map.groups, -1, matrix.shape[1])  # (groups, out/groups, in/groups * ..)
    return float(torch.linalg.matrix_norm(blocks, 2).max())


def _measured(value: float, linear_map: LinearMap, error: float) -> MeasuredValue:
    if value == 0.0:
        raise all_zero(linear_map)
    if not math.isfinite(value):
        raise not_finite(linear_map)
    return MeasuredValue(
        log_value=math.log(value),
        exactness="exact" if error <= TOLERANCE else "estimate",
        tolerance=max(error, RESIDUAL),
    )
