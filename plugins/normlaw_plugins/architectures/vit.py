"""Vision transformer, torchvision's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from normlaw_plugins.architectures.shared import Dropout, InitFactor, Width, image_shape, scale_weights
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import Architecture, InputError, LayerRule, Params, Task

if TYPE_CHECKING:
    from torch import nn


class ViTParams(Params):
    """Parameters of `vit`."""

    patch: Width = Field(default=4, description="side of a square patch in pixels")
    width: Width = Field(default=192, description="size of a token")
    depth: Width = Field(default=6, description="number of encoder blocks")
    heads: Width = Field(default=3, description="attention heads of each block; divides `width`")
    mlp_ratio: Width = Field(default=4, description="hidden units of a block's MLP, per unit of `width`")
    dropout: Dropout = Field(default=0.0, description="dropout of tokens, attention and MLP outputs")
    init_factor: InitFactor = Field(
        default=1.0,
        description="factor on all convolution and linear weights but query, key and value",
    )

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"`heads` must divide `width`: {self.width} is no multiple of {self.heads}")
        return self


def build_vit(params: ViTParams, task: Task) -> nn.Module:
    """Return a pre-LN transformer with GELU, a class token and learnt positions.

    Layers start from PyTorch's own defaults where torchvision has others (truncated normal patches, a zero
    head): the settings scale the defaults, and a zero head has no norm to scale. Query, key and value start
    from Xavier's uniform, the class token from zero, the positions from N(0, 0.02^2).

    Raises:
        InputError: the inputs are not square images, or `patch` does not divide their side.

    """
    prepare_torchvision()
    from torch import nn
    from torchvision.models.vision_transformer import EncoderBlock, MLPBlock, VisionTransformer

    from normlaw_plugins.architectures.attention import SelfAttention
    from normlaw_plugins.architectures.class_token import ClassTokenBlock

    channels, height, width = image_shape("vit", task)
    if height != width or height % params.patch:
        raise InputError(
            f"architecture 'vit' needs square images whose side `patch` divides: the data set has "
            f"{height}x{width} pixels, `patch` is {params.patch}"
        )
    vit = VisionTransformer(
        image_size=height,
        patch_size=params.patch,
        num_layers=params.depth,
        num_heads=params.heads,
        hidden_dim=params.width,
        mlp_dim=params.mlp_ratio * params.width,
        dropout=params.dropout,
        attention_dropout=params.dropout,
        num_classes=task.num_outputs,
    )
    # torchvision's takes colour images only: (b, channels, side, side) -> (b, width, *patches)
    vit.conv_proj = nn.Conv2d(channels, params.width, kernel_size=params.patch, stride=params.patch)
    vit.heads.head.reset_parameters()
    blocks = vit.encoder.layers
    blocks[-1] = ClassTokenBlock(blocks[-1])  # the head reads no other token
    for module in vit.modules():
        if isinstance(module, EncoderBlock):
            module.self_attention = SelfAttention.of(module.self_attention)
        if isinstance(module, MLPBlock):
            for layer in module:
                if isinstance(layer, nn.Linear):
                    layer.reset_parameters()
    network: nn.Module = vit
    scale_weights(network, params.init_factor)
    return network


def vit_layer_rules() -> Mapping[type[nn.Module], LayerRule]:
    """Return what the last block's attention is as linear maps."""
    from normlaw_plugins.architectures.class_token import LAYER_RULES

    return LAYER_RULES


VIT = Architecture(
    name="vit",
    summary="Vision transformer: pre-LN, GELU, class token, learnt positions",
    source="Dosovitskiy et al. 2021, arXiv:2010.11929; presets of D'Amico et al. 2025, arXiv:2505.13230",
    formula=r"h' = h + \mathrm{Attention}(\mathrm{LN}(h)), \qquad h'' = h' + \mathrm{MLP}(\mathrm{LN}(h'))",
    params=ViTParams,
    build=build_vit,
    layer_rules=vit_layer_rules,
    presets={
        "mnist": {"patch": 7, "width": 128, "depth": 4, "heads": 4, "init_factor": 1.0},
        "cifar10": {"patch": 4, "width": 192, "depth": 6, "heads": 3, "init_factor": 0.005},
        "cifar100": {"patch": 4, "width": 256, "depth": 6, "heads": 4, "init_factor": 0.005},
    },
)
