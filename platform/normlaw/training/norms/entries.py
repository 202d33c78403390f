"""Entrywise norms of a matrix, read once, in float64."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from normlaw_registry import EntryNorms, LinearMap, NormlawError

CHUNK = 1 << 18
"""Entries held in float64 at a time: 2 MiB, which stay in the processor's cache."""


def row_chunks(matrix: Tensor) -> Iterator[Tensor]:
    """Yield copies of the rows of a matrix (out, in) in float64, a chunk of them at a time."""
    for rows in torch.split(matrix, max(1, CHUNK // max(1, matrix.shape[1]))):
        yield rows.to(torch.float64, copy=True)


def entry_norms(linear_map: LinearMap, reference: LinearMap | None = None) -> EntryNorms:
    """Return the entrywise norms of a map's matrix, minus the reference's where one is given.

    Raises:
        NormlawError: an entry is not finite; names the layer.

    """
    matrix = linear_map.matrix()  # (out, in)
    chunks = row_chunks(matrix)
    if reference is not None:
        pairs = zip(chunks, row_chunks(reference.matrix()), strict=True)
        chunks = (chunk.sub_(other) for chunk, other in pairs)
    l1 = rows = squares = 0.0
    columns = torch.zeros(matrix.shape[1], dtype=torch.float64, device=matrix.device)  # (in,)
    for chunk in chunks:  # (rows, in)
        l1 += float(torch.linalg.vector_norm(chunk, ord=1))
        of_rows = torch.linalg.vector_norm(chunk, dim=1)  # (rows,)
        rows += float(of_rows.sum())
        squares += float(of_rows.square().sum())
        columns += chunk.square_().sum(dim=0)
    if not math.isfinite(squares):
        raise not_finite(linear_map)
    return EntryNorms(l1=l1, frobenius=squares**0.5, rows_2_1=rows, columns_2_1=float(columns.sqrt_().sum()))


def not_finite(linear_map: LinearMap) -> NormlawError:
    """Return the error for a weight that diverged."""
    return NormlawError(
        f"layer {linear_map.name!r}: its weight is not finite, so it has no norm; the training has diverged "
        "(lower the learning rate, or check the data for infinite values)"
    )


def all_zero(linear_map: LinearMap) -> NormlawError:
    """Return the error for a weight whose norm has no logarithm."""
    return NormlawError(
        f"layer {linear_map.name!r}: its weight is zero as it is applied, and zero has no log; "
        "start from a non-zero initialisation, or measure only after the first steps"
    )
