"""The difference of two vectors' powers as a linear predictor; imports torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PowerDifference(nn.Module):
    """x -> <plus^D - minus^D, x>/sqrt(d).

    Args:
        inputs: numbers of a flattened input, d.
        depth: D.
        start: value of all weights to begin with.

    """

    def __init__(self, inputs: int, depth: int, start: float) -> None:
        super().__init__()
        self.depth = depth
        self.plus = nn.Parameter(torch.full((inputs,), start))  # w_+
        self.minus = nn.Parameter(torch.full((inputs,), start))  # w_-

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, 1) for inputs (b, *input_shape)."""
        x = x.flatten(1)  # (b, d)
        predictor: Tensor = (self.plus**self.depth - self.minus**self.depth) / x.shape[1] ** 0.5  # (d,)
        return x @ predictor[:, None]
