"""How long the way of the weights has been, and how far it has led."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from typing import TYPE_CHECKING, Any

from normlaw_registry import Callback, Follower, OptimizerStep, Params, RunContext, RunPoint

if TYPE_CHECKING:
    from torch import Tensor


class PathLength(Follower):
    """Adds the lengths of the steps up.

    Args:
        weights: the network's parameters, alive.

    """

    def __init__(self, weights: list[Tensor]) -> None:
        self._weights = weights
        self._initial = self._copied()
        self._before: list[Tensor] = []
        self._length = self._gradient = 0.0

    def before_step(self, step: OptimizerStep) -> None:
        """Keep the weights, and the length of their gradient."""
        self._before = self._copied()
        gradients = [weight.grad for weight in self._weights if weight.grad is not None]
        self._gradient = hypot(*(float(gradient.double().norm()) for gradient in gradients))

    def after_step(self, step: OptimizerStep) -> None:
        """Add the length of the step."""
        self._length += self._distance(self._before)

    def at_point(self, point: RunPoint) -> Mapping[str, float]:
        """Return the length of the way, the distance from its start, and the length of the last gradient."""
        found = {"length": self._length, "distance": self._distance(self._initial)}
        return found | ({"gradient": self._gradient} if point.step else {})

    def state_dict(self) -> Mapping[str, Any]:
        """Return the sums."""
        return {"length": self._length, "gradient": self._gradient}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from these sums."""
        self._length, self._gradient = state["length"], state["gradient"]

    def _copied(self) -> list[Tensor]:
        return [weight.detach().clone() for weight in self._weights]

    def _distance(self, since: list[Tensor]) -> float:
        moved = zip(self._weights, since, strict=True)
        return hypot(*(float((now.detach().double() - then.double()).norm()) for now, then in moved))


def start(_params: Params, run: RunContext) -> PathLength:
    """Return what is logged of the way of the weights through their space, as Euclidean lengths in float64.

    `length` is the sum of the steps' lengths; `distance` is that from the initial weights, which a straight
    way would have as its length; `gradient` is the length of the gradient of the last batch.
    """
    return PathLength(list(run.network.parameters()))


PATH_LENGTH = Callback(
    name="path_length",
    summary="Length of the way of the weights, and how far it has led",
    formula=r"\sum_{s \le t} \left\|\theta_s - \theta_{s-1}\right\|, \quad \left\|\theta_t - \theta_0\right\|",
    source="definition in the formula",
    start=start,
)
