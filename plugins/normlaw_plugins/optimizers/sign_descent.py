"""Sign descent: every weight moves by the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import Field

from normlaw_plugins.optimizers.light import light
from normlaw_registry import Optimizer, Params

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class SignDescentParams(Params):
    """Its memory."""

    momentum: float = Field(
        0.0, ge=0, lt=1, description="part of the average gradient that is kept; 0: the gradient's own sign"
    )


def build(
    params: SignDescentParams, weights: Mapping[str, Tensor], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return sign descent, which is steepest descent in the largest change of a weight.

    Weight decay makes each weight smaller by `learning_rate * weight_decay` of it a step.
    """
    groups = [{"params": list(weights.values())}]
    defaults = {"lr": learning_rate, "weight_decay": weight_decay, "momentum": params.momentum}
    return light(_kind())(groups, defaults)


@cache
def _kind() -> Any:
    import torch

    class SignDescent(torch.optim.Optimizer):
        """Its state is the average gradient of each weight, where there is momentum."""

        def step(self, closure: None = None) -> None:  # type: ignore[override]
            del closure
            for group in self.param_groups:
                rate, momentum = group["lr"], group["momentum"]
                for weight in group["params"]:
                    if weight.grad is None:
                        continue
                    direction = weight.grad
                    if momentum:
                        state = self.state[weight]
                        if "momentum_buffer" not in state:
                            state["momentum_buffer"] = torch.zeros_like(weight)
                        direction = state["momentum_buffer"].lerp_(weight.grad, 1 - momentum)
                    weight.mul_(1 - rate * group["weight_decay"]).sub_(direction.sign(), alpha=rate)

    return SignDescent


SIGN_DESCENT = Optimizer(
    name="sign_descent",
    summary="Descent by the sign of the gradient, or of its average",
    source="Bernstein et al. 2018, arXiv:1802.04434, algorithms 1 and 2",
    formula=r"m \leftarrow \mu m + (1 - \mu) \nabla L, \quad w \leftarrow w - \eta\, \mathrm{sign}(m)",
    params=SignDescentParams,
    build=build,
)
