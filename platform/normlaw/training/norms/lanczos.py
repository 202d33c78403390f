"""Largest singular value of a map that is only known by its action, by Lanczos iteration on A^T A."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def largest_singular_pair(
    normal: Callable[[Tensor], Tensor], start: Tensor, tolerance: float, max_steps: int = 300
) -> tuple[float, Tensor, float]:
    """Return the largest singular value of A, its right singular vector and the relative error reached.

    Args:
        normal: x -> A^T A x, for x of shape (n,).
        start: (n,), not orthogonal to the vector sought.
        tolerance: relative error of the singular value at which the iteration stops.
        max_steps: products with A^T A after which it stops anyway.

    """
    basis = [start / torch.linalg.vector_norm(start)]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        w = normal(basis[-1])  # (n,)
        diagonal.append(float(basis[-1] @ w))
        vectors = torch.stack(basis)  # (k, n)
        for _ in range(2):
            w = w - vectors.T @ (vectors @ w)
        left = float(torch.linalg.vector_norm(w))
        k = len(basis)
        projected = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
        if k > 1:
            sub = torch.tensor(beside, dtype=torch.float64)
            projected += torch.diag(sub, 1) + torch.diag(sub, -1)
        values, ritz = torch.linalg.eigh(projected)
        top = float(values[-1])
        residual = abs(left * float(ritz[-1, -1]))
        gap = top - float(values[-2]) if k > 1 else 0.0
        error = min(residual, residual**2 / gap if gap > residual else residual) / (2 * top) if top > 0 else 0.0
        if (error <= tolerance and k > 1) or left <= 1e-14 * top or k >= min(max_steps, len(start)):
            return top**0.5, vectors.T @ ritz[:, -1].to(vectors.dtype), error
        beside.append(left)
        basis.append(w / left)
