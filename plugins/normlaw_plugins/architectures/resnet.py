"""Residual network for small images, of torchvision's blocks."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from normlaw_plugins.architectures.shared import InitFactor, Width, image_shape, scale_weights
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import Architecture, Params, Task

if TYPE_CHECKING:
    from torch import nn


class ResNetParams(Params):
    """Parameters of `resnet`."""

    blocks: tuple[Width, ...] = Field(
        default=(2, 2, 2, 2), min_length=1, description="residual blocks of each stage"
    )
    channels: tuple[Width, ...] = Field(
        default=(64, 128, 256, 512),
        min_length=1,
        description="channels of each stage; the first's in the stem",
    )
    init_factor: InitFactor = Field(
        default=1.0,
        description="factor on all convolution and linear weights after their draw",
    )

    @model_validator(mode="after")
    def _one_width_a_stage(self) -> Self:
        if len(self.blocks) != len(self.channels):
            raise ValueError(
                f"`blocks` names {len(self.blocks)} stages and `channels` {len(self.channels)}: give as many"
            )
        return self


def build_resnet(params: ResNetParams, task: Task) -> nn.Module:
    """Return stem, stages of `BasicBlock`s, global average pooling and a linear head.

    The stem is a 3x3 convolution of stride 1 without max-pooling; every stage after the first halves the image.
    Convolutions (without biases) start from Kaiming's normal, fan-out; the head from N(0, 0.01^2) and zero
    biases; BatchNorm from weight 1 and bias 0.

    Raises:
        InputError: the inputs are not images.

    """
    prepare_torchvision()
    from torch import nn
    from torchvision.models.resnet import BasicBlock

    inputs, _, _ = image_shape("resnet", task)
    width = params.channels[0]
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(inputs, width, kernel_size=3, padding=1, bias=False),  # (b, width, *image)
        bn1=nn.BatchNorm2d(width),
        relu=nn.ReLU(inplace=True),
    )
    for stage, (blocks, channels) in enumerate(zip(params.blocks, params.channels, strict=True)):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            shortcut = None
            if stride != 1 or width != channels:
                shortcut = nn.Sequential(
                    nn.Conv2d(width, channels, kernel_size=1, stride=stride, bias=False),
                    nn.BatchNorm2d(channels),
                )
            layers[f"stage{stage + 1}_block{block + 1}"] = BasicBlock(width, channels, stride, shortcut)
            width = channels
    layers["pool"] = nn.AdaptiveAvgPool2d(1)  # (b, width, 1, 1)
    layers["flatten"] = nn.Flatten()  # (b, width)
    layers["fc"] = nn.Linear(width, task.num_outputs)  # (b, num_outputs)
    network = nn.Sequential(layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)
    scale_weights(network, params.init_factor)
    return network


RESNET = Architecture(
    name="resnet",
    summary="Residual network of basic blocks with BatchNorm, 3x3 stem, no max-pooling",
    source="He et al. 2016, arXiv:1512.03385; settings of D'Amico, Bocchi, Negri 2025, arXiv:2505.13230",
    formula=r"h_{l+1} = \sigma\left(S h_l + B_2(C_2 * \sigma(B_1(C_1 * h_l)))\right)",
    params=ResNetParams,
    build=build_resnet,
    presets={
        "mnist": {"blocks": (2, 2, 2, 2), "channels": (16, 32, 64, 128), "init_factor": 1.0},
        "cifar10": {"blocks": (2, 2, 2, 2), "channels": (64, 128, 256, 512), "init_factor": 0.05},
        "cifar100": {"blocks": (3, 4, 6, 3), "channels": (64, 128, 256, 512), "init_factor": 1.0},
    },
)
