"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_plugins.optimizers.light import light
from normlaw_registry import Optimizer, Params

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class SGDParams(Params):
    """Its memory."""

    momentum: float = Field(0.0, ge=0, lt=1, description="part of the last step's direction that is kept")


def build(
    params: SGDParams, weights: Mapping[str, Tensor], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return gradient descent; weight decay is added to the gradient, times the weights."""
    import torch

    return light(torch.optim.SGD)(
        weights.values(), lr=learning_rate, weight_decay=weight_decay, momentum=params.momentum
    )


SGD = Optimizer(
    name="sgd",
    summary="Gradient descent on batches, with momentum if wanted",
    source="Sutskever et al. 2013, equations 1 and 2, with the rate outside of the momentum",
    formula=r"b \leftarrow \mu b + \nabla L, \quad w \leftarrow w - \eta\, b",
    params=SGDParams,
    build=build,
)
