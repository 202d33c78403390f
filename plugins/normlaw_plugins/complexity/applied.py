"""The (2,1) norm of a linear map as it is applied, from its kernel; imports torch."""

from __future__ import annotations

from dataclasses import replace

import torch

from normlaw_registry import LinearMap

CHUNK = 1 << 18  # entries held in float64 at a time


def applied_group_norm(linear_map: LinearMap, reference: LinearMap | None = None) -> float:
    """Return ||A^T - M^T||_{2,1}: the sum of the 2-norms of the rows of the map's own matrix.

    A row is one output channel at one output position, or one output at one token. With zero padding, a row
    at the border holds only the entries that meet the input; with circular padding every row holds all of
    them (the input is taken to be no smaller than the kernel's reach).

    Args:
        linear_map: A.
        reference: M, a map of the same geometry; zero by default.

    """
    weight = linear_map.weight
    others = None if reference is None else reference.weight
    step = max(1, CHUNK // max(1, weight[0].numel()))
    total = 0.0
    for first in range(0, len(weight), step):
        chunk = weight[first : first + step].double()  # (rows, in/groups, *kernel)
        if others is not None:
            chunk = chunk - others[first : first + step].double()
        squares = torch.linalg.vector_norm(chunk, dim=1, keepdim=True).square_()  # (rows, 1, *kernel)
        total += float(_at_all_positions(squares, linear_map).clamp_min(0.0).sqrt().sum())
    return total * linear_map.positions


def _at_all_positions(squares: torch.Tensor, linear_map: LinearMap) -> torch.Tensor:
    """Return the squared 2-norm of each row, (1, rows, *output_size)."""
    if linear_map.operation == "dense":
        return squares
    inside = squares.new_ones(1, 1, *linear_map.input_size)
    return replace(linear_map, weight=squares, groups=1).apply(inside)
