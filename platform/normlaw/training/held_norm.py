"""Weights that are scaled so that a norm of theirs keeps its value."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from normlaw.study.intervention import HoldNorm
from normlaw_registry import InputError

DOUBLINGS = 2
"""Times that all weights are doubled to see how a measure scales."""
TOLERANCE = 1e-4
"""Of the power that a measure scales with."""

# Axes: s members of a stack (one for a run that is trained alone).

Weights = Mapping[str, Tensor]


def scaled_weights(parameters: Weights, *, members: bool = False) -> dict[str, Tensor]:
    """Return the weights that are scaled, those with two axes or more, as (s, *shape), in the same memory.

    Args:
        parameters: by name.
        members: whether they have the axis s already.

    """
    stacked = {name: p.detach() if members else p.detach().unsqueeze(0) for name, p in parameters.items()}
    return {name: weight for name, weight in stacked.items() if weight.dim() > 2}


class HeldNorm:
    """Keeps a norm of a run, or of each of several in a stack.

    Args:
        choice: which norm, and its value.
        weights: what is scaled, from `scaled_weights`.
        measured: gives the natural log of a measure, where one is held.
        degree: power of the factor on all weights that the measure scales with.

    """

    def __init__(
        self,
        choice: HoldNorm,
        weights: Weights,
        measured: Callable[[], float] | None = None,
        degree: float = 1.0,
    ) -> None:
        self._choice, self._weights = choice, weights
        self._measured, self._degree = measured, degree
        self.target: Tensor | None = None
        """Natural logs of what is held: (s, 1), or (s, weights) where each has its own."""

    @torch.no_grad()
    def start(self) -> None:
        """Hold from here on what was chosen."""
        now = self._log_norms()
        if self._choice.log_norm is not None:
            self.target = torch.full_like(now, self._choice.log_norm)
        else:
            self.target = now + math.log(self._choice.factor or 1.0)

    @torch.no_grad()
    def hold(self) -> None:
        """Scale the weights back."""
        assert self.target is not None, "it holds nothing before it has started"
        factors = ((self.target - self._log_norms()) / self._degree).exp()  # (s, 1) or (s, weights)
        for number, weight in enumerate(self._weights.values()):
            factor = factors[:, min(number, factors.shape[1] - 1)]  # (s,)
            weight.mul_(factor.to(weight.dtype).view(-1, *(1,) * (weight.dim() - 1)))

    def _log_norms(self) -> Tensor:
        if self._measured is not None:
            device = next(iter(self._weights.values())).device
            return torch.tensor([[self._measured()]], dtype=torch.float64, device=device)
        squares = [weight.double().square().flatten(1).sum(dim=1) for weight in self._weights.values()]
        each = torch.stack(squares, dim=1)  # (s, weights)
        return (each if self._choice.of == "layers" else each.sum(dim=1, keepdim=True)).log() / 2


def degree_of(name: str, measured: Callable[[nn.Module], float], network: nn.Module) -> float:
    """Return the power of a factor on all weights that a measure is multiplied by.

    Args:
        name: the measure's, for messages.
        measured: gives its natural log for a network.
        network: it is left as it is.

    Raises:
        InputError: the measure scales by no power, so that no factor on the weights is sure to bring it back.

    """
    scaled = copy.deepcopy(network)
    logs = [measured(network)]
    for _ in range(DOUBLINGS):
        with torch.no_grad():
            for weight in scaled_weights(dict(scaled.named_parameters())).values():
                weight.mul_(2.0)
        logs.append(measured(scaled))
    first, second = ((after - before) / math.log(2) for before, after in pairwise(logs))
    if abs(first) < TOLERANCE or abs(first - second) > TOLERANCE * max(1.0, abs(first)):
        raise InputError(
            f"measure {name!r} cannot be held by scaling the weights: when all of them are doubled twice, it "
            f"is multiplied by 2^{first:.4g}, then by 2^{second:.4g}; hold `weights`, `layers`, or a measure "
            "that scales by one power"
        )
    return first


def require_weights(weights: Weights) -> None:
    """Raise InputError where there is nothing to scale."""
    if not weights:
        raise InputError("the network has no matrix and no filters, so that there is no norm to hold")
