"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from normlaw_plugins.optimizers.light import light
from normlaw_registry import Optimizer, Params

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class AdamParams(Params):
    """The memory of its averages."""

    beta1: float = Field(0.9, ge=0, lt=1, description="of the average gradient")
    beta2: float = Field(0.999, ge=0, lt=1, description="of the average squared gradient")
    epsilon: float = Field(1e-8, gt=0, description="added to the root of the average square")


def build_adam(
    params: AdamParams, weights: Mapping[str, Tensor], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return Adam; weight decay is added to the gradient, times the weights."""
    import torch

    return _built(torch.optim.Adam, params, weights, learning_rate, weight_decay)


def build_adamw(
    params: AdamParams, weights: Mapping[str, Tensor], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return AdamW; weight decay makes each weight smaller by `learning_rate * weight_decay` of it a step."""
    import torch

    return _built(torch.optim.AdamW, params, weights, learning_rate, weight_decay)


def _built(
    kind: Any,
    params: AdamParams,
    weights: Mapping[str, Tensor],
    learning_rate: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    return light(kind)(
        weights.values(),
        lr=learning_rate,
        betas=(params.beta1, params.beta2),
        eps=params.epsilon,
        weight_decay=weight_decay,
        fused=True,
    )


ADAM = Optimizer(
    name="adam",
    summary="Adam: steps of the average gradient over its root mean square",
    source="Kingma, Ba 2015, arXiv:1412.6980, algorithm 1",
    formula=r"w \leftarrow w - \eta\, \frac{\hat m}{\sqrt{\hat v} + \varepsilon}",
    params=AdamParams,
    build=build_adam,
)
ADAMW = Optimizer(
    name="adamw",
    summary="Adam with decoupled weight decay",
    source="Loshchilov, Hutter 2019, arXiv:1711.05101, algorithm 2",
    formula=r"w \leftarrow (1 - \eta \lambda)\, w - \eta\, \frac{\hat m}{\sqrt{\hat v} + \varepsilon}",
    params=AdamParams,
    build=build_adamw,
)
