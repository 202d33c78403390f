"""Rows and sizes of a layer's matrix, as it is applied or of its kernel; imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod, sqrt
from typing import Literal

import torch

from normlaw_registry import LinearMap, NormlawError

CHUNK = 1 << 18
"""Entries held in float64 at a time."""
Matrices = Literal["applied", "kernel"]


def squares_of_rows(linear_map: LinearMap, reference: LinearMap | None = None) -> Iterator[torch.Tensor]:
    """Yield the squared 2-norms of the rows of the map as it is applied, in float64.

    A row is one output channel at one output position, or one output at one token. With zero padding, a row
    at the border holds only the entries that meet the input; with circular padding every row holds all of
    them (the input is taken to be no smaller than the kernel's reach).

    Args:
        linear_map: A.
        reference: M, which is taken from it, a map of the same geometry; zero by default.

    """
    weight = linear_map.weight
    others = None if reference is None else reference.weight
    step = max(1, CHUNK // max(1, weight[0].numel()))
    for first in range(0, len(weight), step):
        chunk = weight[first : first + step].double()  # (rows, in/groups, *kernel)
        if others is not None:
            chunk = chunk - others[first : first + step].double()
        squares = torch.linalg.vector_norm(chunk, dim=1, keepdim=True).square_()  # (rows, 1, *kernel)
        yield _at_all_positions(squares, linear_map).clamp_min(0.0)


def largest_row(linear_map: LinearMap, matrices: Matrices) -> float:
    """Return the largest 2-norm of a row of a layer's matrix.

    Raises:
        NormlawError: a weight is not finite; names the layer.

    """
    if matrices == "applied":
        largest = max(float(squares.max()) for squares in squares_of_rows(linear_map))
    else:
        largest = float(torch.linalg.vector_norm(linear_map.matrix().double(), dim=1).max()) ** 2
    if not largest < float("inf"):  # nan, too
        raise NormlawError(f"layer {linear_map.name!r}: its weight is not finite; the training has diverged")
    return sqrt(largest)


def sizes(linear_map: LinearMap, matrices: Matrices) -> tuple[int, int]:
    """Return how many inputs and outputs a layer's matrix has; of tokens, those of one."""
    if matrices == "kernel" or linear_map.operation == "dense":
        outputs, inputs = linear_map.matrix().shape
        return inputs, outputs
    shapeless = replace(linear_map, weight=linear_map.weight.to("meta"))
    one = torch.empty(1, *linear_map.input_shape, dtype=linear_map.weight.dtype, device="meta")
    return prod(linear_map.input_shape), shapeless.apply(one).numel()


def _at_all_positions(squares: torch.Tensor, linear_map: LinearMap) -> torch.Tensor:
    """Return the squared 2-norm of each row, (1, rows, *output_size)."""
    if linear_map.operation == "dense":
        return squares
    inside = squares.new_ones(1, 1, *linear_map.input_size)
    return replace(linear_map, weight=squares, groups=1).apply(inside)
