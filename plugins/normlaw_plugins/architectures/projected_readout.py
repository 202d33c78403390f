"""A trained linear map on a frozen random projection; imports torch."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class ProjectedReadout(nn.Module):
    """The projection as a buffer, and the trained map `readout`.

    Args:
        inputs: numbers of a flattened input, M.
        width: features N; None: no projection.
        outputs: numbers of an output.

    """

    projection: Tensor | None

    def __init__(self, inputs: int, width: int | None, outputs: int) -> None:
        super().__init__()
        drawn = None if width is None else torch.randn(width, inputs) / width**0.5
        self.register_buffer("projection", drawn)  # (N, M), of entries N(0, 1/N)
        self.readout = nn.Linear(width or inputs, outputs, bias=False)  # weight: (outputs, N)

    @torch.no_grad()
    def draw(self, norm: float) -> None:
        """Draw the readout anew: a random direction of this norm."""
        self.readout.weight.normal_()
        self.readout.weight.mul_(norm / self.readout.weight.norm())

    def forward(self, x: Tensor) -> Tensor:
        """Return (b, outputs) for inputs (b, *input_shape)."""
        x = x.flatten(1)  # (b, M)
        if self.projection is not None:
            x = x @ self.projection.T  # (b, N)
        return cast("Tensor", self.readout(x))
