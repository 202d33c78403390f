"""Decoder-only transformer for next-token prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from normlaw_plugins.architectures.shared import Dropout, InitFactor, Width, require_tokens
from normlaw_registry import Architecture, Params, Task

if TYPE_CHECKING:
    from torch import nn

SPREAD = 0.02
"""Standard deviation of initial weights and vectors, GPT-2's."""


class GPTParams(Params):
    """Parameters of `gpt`."""

    width: Width = Field(default=64, description="size of a token's features")
    depth: Width = Field(default=2, description="number of blocks")
    heads: Width = Field(default=4, description="attention heads of each block; divides `width`")
    mlp_ratio: Width = Field(default=4, description="hidden units of a block's MLP, per unit of `width`")
    norm: Literal["layer", "rms"] = Field(default="layer", description="LayerNorm, or RMSNorm")
    positions: Literal["learnt", "rotary"] = Field(
        default="learnt", description="a vector for each place, or queries and keys turned by their places"
    )
    tied: bool = Field(
        default=True, description="whether the head's matrix is the table of the tokens' vectors"
    )
    bias: bool = Field(default=True, description="whether the linear layers of the blocks have biases")
    dropout: Dropout = Field(default=0.0, description="dropout of token features, attention and block outputs")
    init_factor: InitFactor = Field(
        default=1.0, description="factor on all matrices and vectors of tokens and places after their draw"
    )

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"`heads` must divide `width`: {self.width} is no multiple of {self.heads}")
        if self.positions == "rotary" and self.width // self.heads % 2:
            raise ValueError(
                f"rotary positions turn pairs of features: a head has {self.width // self.heads}, which is odd"
            )
        return self


def build_gpt(params: GPTParams, task: Task) -> nn.Module:
    """Return a pre-norm decoder with GELU.

    All matrices, and the vectors of tokens and places, start from N(0, 0.02^2), the two that are added to the
    residual stream in each block from N(0, 0.02^2 / (2 depth)), each times `init_factor`; biases from zero,
    gains of normalisations from one. A tied head is drawn once.

    Raises:
        InputError: the task has no sequences of tokens.

    """
    from functools import partial

    import torch
    from torch import nn

    from normlaw_plugins.architectures.decoder import Block, Decoder

    require_tokens("gpt", task)
    width = params.width
    norm = partial(nn.LayerNorm if params.norm == "layer" else nn.RMSNorm, width, eps=1e-5)
    blocks = [
        Block(
            width,
            params.heads,
            params.mlp_ratio * width,
            params.dropout,
            norm,
            bias=params.bias,
            rotary=params.positions == "rotary",
        )
        for _ in range(params.depth)
    ]
    network = Decoder(
        task.vocabulary,
        task.input_shape[0],
        width,
        blocks,
        norm,
        params.dropout,
        learnt_positions=params.positions == "learnt",
        tied=params.tied,
    )
    with torch.no_grad():
        for name, weight in network.named_parameters():  # a tied head is there once
            added = name.endswith(("attention.output.weight", "down.weight"))
            if weight.dim() == 2:
                spread = params.init_factor * SPREAD / ((2 * params.depth) ** 0.5 if added else 1.0)
                weight.normal_(0.0, spread)
            elif name.endswith("bias"):
                weight.zero_()
    return network


GPT = Architecture(
    name="gpt",
    summary="Decoder of pre-norm blocks with causal attention, for sequences of tokens",
    source="Radford et al. 2019 (GPT-2); Su et al. 2021, arXiv:2104.09864 (rotary positions); Zhang, Sennrich "
    "2019, arXiv:1910.07467 (RMSNorm)",
    formula=r"h' = h + \mathrm{Attention}(\mathrm{Norm}(h)), \qquad h'' = h' + \mathrm{MLP}(\mathrm{Norm}(h'))",
    params=GPTParams,
    build=build_gpt,
    tasks=("next_token",),
)
