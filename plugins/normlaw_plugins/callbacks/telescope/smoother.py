"""The smoother: what a network answers, as an affine function of its training labels.

Axes: r outputs on inputs that are kept (first those on the n training examples, then those on m others, each
with C outputs), p trained weights, k = n C + 1 columns: one for each label, the last for what no label changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from normlaw_plugins.callbacks.telescope.update_rules import UpdateRule

if TYPE_CHECKING:
    from torch import Tensor


class Smoother:
    """S and c of f(x) = S(x) y + c(x), from one optimiser step to the next.

    To first order in the weights' movement the outputs move by J dW, with J their derivatives; under a squared
    loss the gradient of a batch is a J_B^T (f_B - y_B), into which the approximation itself is put for f_B. So
    the movement is affine in the labels y wherever the optimiser is linear in past gradients, its other state
    taken as it is. This is not the derivative of f in y: that J depends on y as well is left out.

    Args:
        outputs: (r,) float64, of the network as it was initialised.
        examples: n.
        classes: C, outputs an example.
        rule: what the optimiser makes of gradients; None where it moves along them.

    """

    def __init__(self, outputs: Tensor, examples: int, classes: int, rule: UpdateRule | None) -> None:
        import torch

        self._labels, self._classes, self._rule = examples * classes, classes, rule
        self.matrix = torch.zeros(
            len(outputs), self._labels + 1, dtype=torch.float64, device=outputs.device
        )  # (r, k)
        self.matrix[:, -1] = outputs

    def step(self, derivatives: Tensor, batch: Tensor, slope: float, rate: float) -> None:
        """Follow one step.

        Args:
            derivatives: (r, p), J before the step.
            batch: (b,) int64, which training examples it takes.
            slope: a, of the batch's loss.
            rate: of the step.

        """
        import torch

        classes = torch.arange(self._classes, device=batch.device)
        rows = (batch[:, None] * self._classes + classes).flatten()  # (b C,)
        residual = self.matrix[rows].clone()  # (b C, k)
        residual[torch.arange(len(rows), device=batch.device), rows] -= (
            1.0  # labels are in the order of examples
        )
        if self._rule is None:
            kernel = derivatives @ derivatives[rows].T  # (r, b C)
            self.matrix.addmm_(kernel, residual, alpha=-rate * slope)
        else:
            gradient = slope * (derivatives[rows].T @ residual)  # (p, k)
            self.matrix.addmm_(derivatives, self._rule.update(gradient, rate))

    def predictions(self, targets: Tensor) -> Tensor:
        """Return S y + c, (r,), of targets (n C,)."""
        return self.matrix[:, :-1] @ targets + self.matrix[:, -1]

    def effective_parameters(self, rows: slice) -> float:
        """Return (n C / rows) times the sum over rows of |S(x)|^2: |S|_F^2 on the training examples."""
        part = self.matrix[rows, :-1]
        return float(self._labels / len(part) * part.square().sum())

    def state_dict(self) -> dict[str, Any]:
        """Return what later steps depend on."""
        return {"matrix": self.matrix, "rule": None if self._rule is None else self._rule.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.matrix = state["matrix"].to(self.matrix.device, copy=True)
        if self._rule is not None:
            self._rule.load_state_dict(state["rule"])
