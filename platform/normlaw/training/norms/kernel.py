"""Largest singular value of a dense matrix, through the smaller of its two Gram matrices."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from normlaw.training.norms.entries import CHUNK


def largest_singular_value(matrix: Tensor) -> float:
    """Return the largest singular value of a real matrix, computed in float64.

    The matrix is scaled to entries of at most 1, so that no square over- or underflows; squaring costs no
    accuracy for the largest singular value: its relative error stays near float64's rounding.
    """
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    scale = float(matrix.abs().max())
    if scale == 0.0 or not torch.isfinite(torch.tensor(scale)):
        return scale
    n = len(matrix)
    gram = torch.zeros(n, n, dtype=torch.float64, device=matrix.device)  # (n, n)
    for columns in torch.split(matrix, max(n, CHUNK // n), dim=1):
        block = columns.double() / scale
        gram.addmm_(block, block.T)
    return scale * math.sqrt(float(torch.linalg.eigvalsh(gram)[-1]))
