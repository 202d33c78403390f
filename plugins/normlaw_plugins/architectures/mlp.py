"""Multilayer perceptron."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_plugins.architectures.shared import Dropout, InitFactor, Width, scale_weights
from normlaw_registry import Architecture, Params, Task

if TYPE_CHECKING:
    from torch import nn


class MLPParams(Params):
    """Parameters of `mlp`."""

    hidden: tuple[Width, ...] = Field(default=(512, 512), description="units of each hidden layer")
    bias: bool = Field(default=True, description="whether the layers have biases")
    dropout: Dropout = Field(default=0.0, description="probability of dropping a hidden unit")
    init_factor: InitFactor = Field(
        default=1.0, description="factor on all weights after PyTorch's default draw"
    )


def build_mlp(params: MLPParams, task: Task) -> nn.Module:
    """Return linear layers on the flattened input, ReLU after every one but the last."""
    from torch import nn

    features = prod(task.input_shape)
    layers: list[nn.Module] = [nn.Flatten()]  # (b, features)
    for units in params.hidden:
        layers += [nn.Linear(features, units, bias=params.bias), nn.ReLU()]  # (b, units)
        if params.dropout:
            layers.append(nn.Dropout(params.dropout))
        features = units
    layers.append(nn.Linear(features, task.num_outputs, bias=params.bias))  # (b, num_outputs)
    network = nn.Sequential(*layers)
    scale_weights(network, params.init_factor)
    return network


MLP = Architecture(
    name="mlp",
    summary="Linear layers with ReLU on the flattened input",
    formula=(
        r"f(x) = W_L\, \sigma(W_{L-1} \cdots \sigma(W_1 x + b_1) \cdots + b_{L-1}) + b_L, \qquad "
        r"\sigma(z) = \max(z, 0)"
    ),
    params=MLPParams,
    build=build_mlp,
)
