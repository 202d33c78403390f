"""Largest singular value of a map that is only known by its action: restarted block Lanczos on A^T A."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 3
"""Vectors a step. Several, because the largest singular values of a convolution come in near-equal pairs."""
BASIS = 24
"""Vectors kept before a restart; the basis and its image are held."""
LEAST_STEPS = 4
"""Steps taken at least, so that a new largest singular vector shows itself beside good starting vectors."""
INDEPENDENT = 0.01
"""A direction of which the basis leaves less than this is not worth adding."""


@dataclass(frozen=True)
class RitzVectors:
    """What an iteration knows of the largest singular values."""

    vectors: Tensor
    """(BLOCK, n), orthonormal, the right singular vector of the largest singular value first."""
    error: float
    """Estimated relative error of the largest singular value."""
    steps: int


def leading_right_singular_vectors(
    normal: Callable[[Tensor], Tensor], start: Tensor, tolerance: float, max_steps: int = 100
) -> RitzVectors:
    """Return the right singular vectors of A's largest singular values.

    The error is estimated from residuals and the gaps between the Ritz values (see `relative_error`); it is
    rigorous as long as no singular vector is orthogonal to all that was tried, which random starting
    vectors make sure of.

    Args:
        normal: x -> A^T A x for a block x of shape (b, n).
        start: (b, n) with b <= n; close to the vectors sought, or random.
        tolerance: relative error of the largest singular value at which the iteration stops.
        max_steps: blocks that A^T A is applied to, at most.

    """
    size, n = start.shape
    room = min(BASIS, n)
    basis = start.new_empty(room, n)  # the first `used` rows are orthonormal
    images = start.new_empty(room, n)  # A^T A times the basis
    used = 0
    steps = 0
    block = _orthonormal(start, basis[:0])
    while True:
        basis[used : used + len(block)], images[used : used + len(block)] = block, normal(block)
        used += len(block)
        steps += 1
        projected = (basis[:used] @ images[:used].T).double()  # (used, used)
        values, coordinates = torch.linalg.eigh((projected + projected.T) / 2)
        values, coordinates = values.flip(0), coordinates.flip(1).T.to(basis)  # rows, the largest first
        vectors = coordinates[:size] @ basis[:used]  # (size, n)
        residuals = coordinates[:size] @ images[:used] - values[:size, None].to(basis) * vectors
        norms = torch.linalg.vector_norm(residuals, dim=1)  # (size,)
        error = relative_error(values.tolist(), norms.tolist())
        if (error <= tolerance and steps >= LEAST_STEPS) or steps >= max_steps:
            return RitzVectors(vectors, error, steps)
        if used + size > room:
            kept = min(BASIS // 2, used)
            for rows in (basis, images):  # the restart keeps the better half
                rows[:kept] = coordinates[:kept] @ rows[:used]
            used = kept
        directions = residuals / norms.clamp_min(torch.finfo(norms.dtype).tiny)[:, None]
        block = _orthonormal(directions, basis[:used])[: room - used]
        if len(block) == 0:  # the basis spans an invariant subspace: its Ritz values are singular values
            return RitzVectors(vectors, error, steps)


def relative_error(values: Sequence[float], residuals: Sequence[float]) -> float:
    """Return a bound on the relative error of sqrt(values[0]), for Ritz values of A^T A in falling order.

    Some eigenvalue lies within the residual r_1 of the first. Where the first c values are set apart from
    the rest by a gap, together they fall short of the c largest by at most (r_1^2 + .. + r_c^2) / gap (the
    Kato-Temple bound for a cluster), hence so does the first; value c+1 may be off by its own residual.

    >>> relative_error([4.0, 1.0], [0.02, 0.1])  # 0.02^2 / 2.9 relative to 4, half of it for the root
    1.7241379310344828e-05
    """
    bound = residuals[0]
    squares = 0.0
    for c in range(1, len(residuals)):
        squares += residuals[c - 1] ** 2
        gap = values[c - 1] - values[c] - residuals[c]
        if gap > 0.0:
            bound = min(bound, squares / gap)
    return bound / (2.0 * values[0]) if values[0] > 0.0 else 0.0


def _orthonormal(block: Tensor, basis: Tensor) -> Tensor:
    """Return an orthonormal basis (b', n), b' <= b, of what the block adds to an orthonormal basis (k, n)."""
    for _ in range(2):  # twice is enough (Kahan)
        block = block - (block @ basis.T) @ basis
        factor, triangle = torch.linalg.qr(block.T)  # (n, b), (b, b)
        block = factor.T[torch.diagonal(triangle).abs() > INDEPENDENT]
        if len(block) == 0:
            break
    return block
