"""Convolutional network: 3x3 convolutions, then a multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_plugins.architectures.shared import Dropout, InitFactor, Width, image_shape, scale_weights
from normlaw_registry import Architecture, InputError, Params, Task

if TYPE_CHECKING:
    from torch import nn


class CNNParams(Params):
    """Parameters of `cnn`."""

    channels: tuple[Width, ...] = Field(
        default=(32, 64, 128), min_length=1, description="output channels of each 3x3 convolution"
    )
    hidden: tuple[Width, ...] = Field(default=(512,), description="units of each hidden linear layer")
    dropout: Dropout = Field(
        default=0.0, description="probability of dropping a hidden unit of the linear layers"
    )
    init_factor: InitFactor = Field(
        default=1.0, description="factor on all convolution and linear weights after PyTorch's default draw"
    )


def build_cnn(params: CNNParams, task: Task) -> nn.Module:
    """Return the network: ReLU after every layer but the last, a 2x2 max-pool after every second convolution.

    Raises:
        InputError: the inputs are not images, or too small for that many pooling steps.

    """
    from torch import nn

    channels, height, width = image_shape("cnn", task)
    pools = len(params.channels) // 2
    if min(height, width) >> pools == 0:
        raise InputError(
            f"architecture 'cnn': {len(params.channels)} convolutions pool {pools} times, which leaves nothing "
            f"of {height}x{width} images: take fewer `channels`"
        )
    layers: list[nn.Module] = []
    for index, out in enumerate(params.channels, start=1):
        layers += [nn.Conv2d(channels, out, kernel_size=3, padding=1), nn.ReLU()]  # (b, out, height, width)
        if index % 2 == 0:
            layers.append(nn.MaxPool2d(2))  # (b, out, height // 2, width // 2)
            height, width = height // 2, width // 2
        channels = out
    layers.append(nn.Flatten())  # (b, channels * height * width)
    features = channels * height * width
    for units in params.hidden:
        layers += [nn.Linear(features, units), nn.ReLU()]  # (b, units)
        if params.dropout:
            layers.append(nn.Dropout(params.dropout))
        features = units
    layers.append(nn.Linear(features, task.num_outputs))  # (b, num_outputs)
    network = nn.Sequential(*layers)
    scale_weights(network, params.init_factor)
    return network


CNN = Architecture(
    name="cnn",
    summary="3x3 convolutions with max-pooling, then a multilayer perceptron",
    source="D'Amico, Bocchi, Negri 2025, arXiv:2505.13230, experimental settings",
    formula=r"h_l = \sigma(C_l * h_{l-1} + b_l), \qquad h_{2l} \to \mathrm{maxpool}_{2 \times 2}(h_{2l})",
    params=CNNParams,
    build=build_cnn,
    presets={
        "mnist": {"channels": (32, 64, 128), "hidden": (512,), "init_factor": 0.05},
        "cifar10": {"channels": (32, 64, 128), "hidden": (512,), "init_factor": 1.0},
        "cifar100": {
            "channels": (64, 128, 256, 512),
            "hidden": (1024, 512),
            "dropout": 0.1,
            "init_factor": 1.0,
        },
    },
)
