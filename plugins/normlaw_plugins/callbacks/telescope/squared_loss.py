"""A squared loss, told from any other by its gradient, whatever a study calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from normlaw_registry import InputError, RunContext

if TYPE_CHECKING:
    from torch import Tensor

ROUNDING = 1e-9
"""Relative difference, in float64, of gradients that count as equal."""


@dataclass(frozen=True)
class SquaredLoss:
    """The loss of a run, whose gradient in the outputs of a batch is `slope` times (output - target)."""

    run: RunContext
    targets: Tensor
    """(n, num_outputs) float64: what the outputs on the training examples would have no loss at."""
    outputs: int

    @classmethod
    def of(cls, run: RunContext, labels: Tensor) -> SquaredLoss:
        """Return the loss of a run.

        Args:
            run: whose loss is looked at.
            labels: (n,) int64, or targets (n, num_outputs), of its training examples.

        Raises:
            InputError: its gradient is not that of a squared loss.

        """
        import torch

        generator = torch.Generator().manual_seed(0)
        shape = len(labels), run.task.num_outputs
        zero = torch.zeros(shape, dtype=torch.float64, device=labels.device)
        at_zero = _gradient(run, zero, labels)
        slope = float((_gradient(run, zero + 1.0, labels) - at_zero).mean())
        for scale in (0.5, 3.0):
            outputs = scale * torch.randn(shape, dtype=torch.float64, generator=generator).to(labels.device)
            moved = _gradient(run, outputs, labels) - at_zero
            rounding = ROUNDING * float(moved.abs().max())
            if not slope > 0 or float((moved - slope * outputs).abs().max()) > rounding:
                raise InputError(
                    "effective parameters are those of a squared loss, whose gradient is output minus target; "
                    f"that of `loss: {run.loss_name}` is not: give `loss: squared`"
                )
        return cls(run, -at_zero / slope, shape[1])

    def slope(self, labels: Tensor) -> float:
        """Return the factor for a batch of these labels: 2 / (b num_outputs) for a mean of squares."""
        import torch

        zero = torch.zeros(len(labels), self.outputs, dtype=torch.float64, device=labels.device)
        return float((_gradient(self.run, zero + 1.0, labels) - _gradient(self.run, zero, labels)).mean())


def _gradient(run: RunContext, outputs: Tensor, labels: Tensor) -> Tensor:
    import torch

    with torch.enable_grad():
        held = outputs.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(run.loss(held, labels), held)
    return gradient
