"""Hidden units whose answers are added with a fixed factor; imports torch."""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn


class Committee(nn.Module):
    """One trained layer `hidden`, W = J/sqrt(N), and a sum over its units.

    Attributes:
        scale: of the output.
        activation: g.

    Args:
        inputs: numbers of a flattened input, N.
        units: K.
        scale: what the sum of the units' answers is multiplied by.
        activation: g(x) = erf(x/sqrt(2)) or x.

    """

    def __init__(self, inputs: int, units: int, scale: float, activation: Literal["erf", "linear"]) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, units, bias=False)  # weight: (K, N)
        self.scale, self.activation = scale, activation

    @torch.no_grad()
    def draw(self, size: float) -> None:
        """Draw the weights anew: J ~ N(0, size^2), entry by entry."""
        self.hidden.weight.normal_()
        self.hidden.weight.mul_(size / self.hidden.in_features**0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, 1) for inputs (b, *input_shape)."""
        fields = cast("Tensor", self.hidden(x.flatten(1)))  # (b, K)
        answers = fields if self.activation == "linear" else torch.erf(fields * 0.5**0.5)
        return self.scale * answers.sum(dim=1, keepdim=True)
