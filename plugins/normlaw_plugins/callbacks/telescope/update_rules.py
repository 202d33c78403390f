"""What an optimiser makes of gradients that are affine functions of the training labels.

Axes: p trained weights, k columns: one for each label, and the last one for what no label changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from normlaw_registry import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer


class UpdateRule(Protocol):
    """Carries the weights' update along as an affine function of the labels."""

    def update(self, gradient: Tensor, rate: float) -> Tensor:
        """Return how the weights move, (p, k), given the gradient of the batch's loss, (p, k), without decay.

        Called after the optimiser's own step, whose state it may read.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what later updates depend on."""
        ...

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on from there."""
        ...


def update_rule(optimizer: Optimizer, weights: Sequence[Tensor], columns: int) -> UpdateRule | None:
    """Return the rule of an optimiser; None for plain gradient descent, which moves along the gradient.

    Args:
        optimizer: torch's.
        weights: the trained ones, as they were initialised.
        columns: k.

    Raises:
        InputError: its updates are not linear in past gradients, or it treats weights differently.

    """
    from torch.optim import SGD, Adam, AdamW

    name = type(optimizer).__name__
    group = optimizer.param_groups[0]
    odd = [key for key in ("nesterov", "maximize", "amsgrad") if group.get(key)]
    if odd or group.get("dampening") or not isinstance(optimizer, SGD | Adam | AdamW):
        raise InputError(
            "effective parameters are known for SGD (with momentum), Adam and AdamW, not for what this run has "
            f"({f'{name} with {odd[0]}' if odd else name}): give one of these"
        )
    if len(optimizer.param_groups) != 1:
        raise InputError(f"effective parameters need one rate for all weights; {name} has groups of them here")
    if isinstance(optimizer, SGD) and not group["momentum"] and not group["weight_decay"]:
        return None
    return Moments(optimizer, weights, columns)


class Moments:
    """SGD with momentum or decay, Adam and AdamW, the second moment taken as it is.

    SGD: V <- m V + G, W <- W - g V, with G the gradient and d W, d the decay. Adam: M <- b_1 M + (1 - b_1) G,
    W <- W - g phi M / (1 - b_1^t), phi = 1 / (sqrt(v / (1 - b_2^t)) + eps) of the true run; AdamW takes d W out
    of G and shrinks W by 1 - g d first. W is the weights' own dependence on the labels; a decay needs it.
    """

    def __init__(self, optimizer: Optimizer, weights: Sequence[Tensor], columns: int) -> None:
        import torch

        (self._group,), self._optimizer, self._weights = optimizer.param_groups, optimizer, weights
        self._adam = "betas" in self._group
        self._decoupled = self._adam and bool(self._group.get("decoupled_weight_decay"))
        flat = torch.cat([weight.detach().double().flatten() for weight in weights])  # (p,)
        self._moment = torch.zeros(len(flat), columns, dtype=torch.float64, device=flat.device)  # (p, k)
        self._dependence: Tensor | None = None  # (p, k)
        if self._group["weight_decay"]:
            self._dependence = torch.zeros_like(self._moment)
            self._dependence[:, -1] = flat

    def update(self, gradient: Tensor, rate: float) -> Tensor:
        """Return how the weights move, (p, k)."""
        decay, before = self._group["weight_decay"], self._dependence
        if before is not None and not self._decoupled:
            gradient = gradient + decay * before
        if self._adam:
            moved = -rate * self._adapted(gradient)
        else:
            self._moment.mul_(self._group["momentum"]).add_(gradient)
            moved = -rate * self._moment
        if before is not None:
            if self._decoupled:
                moved = moved - rate * decay * before
            self._dependence = before + moved
        return moved

    def _adapted(self, gradient: Tensor) -> Tensor:
        import torch

        states = [self._optimizer.state[weight] for weight in self._weights]
        (first, second), epsilon = self._group["betas"], self._group["eps"]
        steps = float(states[0]["step"])
        squares = torch.cat([state["exp_avg_sq"].double().flatten() for state in states])  # (p,)
        phi = 1.0 / ((squares / (1 - second**steps)).sqrt() + epsilon)
        self._moment.mul_(first).add_(gradient, alpha=1 - first)
        adapted: Tensor = phi[:, None] * self._moment / (1 - first**steps)
        return adapted

    def state_dict(self) -> dict[str, Any]:
        """Return the moment, and the weights' dependence where there is a decay."""
        return {"moment": self._moment, "dependence": self._dependence}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        device = self._moment.device
        self._moment = state["moment"].to(device, copy=True)
        dependence = state["dependence"]
        self._dependence = None if dependence is None else dependence.to(device, copy=True)
