"""A transformer that reads from left to right: attention, blocks, and the network of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

BASE = 10000.0
"""Of the wavelengths of rotary positions."""


def rotated(features: Tensor) -> Tensor:
    """Return queries or keys, (b, heads, T, head_dim), turned by angles that grow with their places.

    The first half of the features are the real, the second the imaginary parts of head_dim / 2 complex numbers;
    number i at place t is multiplied by exp(1j t BASE^(-2 i / head_dim)).
    """
    places, size = features.shape[-2:]
    rates = BASE ** (-torch.arange(0, size, 2, device=features.device, dtype=torch.float32) / size)
    angles = (
        torch.arange(places, device=features.device, dtype=torch.float32)[:, None] * rates
    )  # (T, head_dim / 2)
    cosine, sine = angles.cos().to(features.dtype), angles.sin().to(features.dtype)
    real, imaginary = features.chunk(2, dim=-1)
    return torch.cat([real * cosine - imaginary * sine, real * sine + imaginary * cosine], dim=-1)


class CausalAttention(nn.Module):
    """Self-attention of each place to itself and the places before it, all heads together."""

    def __init__(self, width: int, heads: int, dropout: float, *, bias: bool, rotary: bool) -> None:
        super().__init__()
        self.heads, self.dropout, self.rotary = heads, dropout, rotary
        self.query = nn.Linear(width, width, bias=bias)
        self.key = nn.Linear(width, width, bias=bias)
        self.value = nn.Linear(width, width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)

    def forward(self, sequence: Tensor) -> Tensor:
        """Return the attended sequence, (b, T, width)."""
        batch, places, width = sequence.shape

        def by_head(layer: nn.Linear) -> Tensor:
            rows: Tensor = layer(sequence).view(batch, places, self.heads, -1)
            return rows.transpose(1, 2)  # (b, heads, T, head_dim)

        query, key, value = by_head(self.query), by_head(self.key), by_head(self.value)
        if self.rotary:
            query, key = rotated(query), rotated(key)
        dropout = self.dropout if self.training else 0.0
        attended = scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        return cast("Tensor", self.output(attended.transpose(1, 2).reshape(batch, places, width)))


class Block(nn.Module):
    """h + Attention(Norm(h)), then h + MLP(Norm(h)) with GELU; dropout on what is added."""

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        dropout: float,
        norm: Callable[[], nn.Module],
        *,
        bias: bool,
        rotary: bool,
    ) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = norm(), norm()
        self.attention = CausalAttention(width, heads, dropout, bias=bias, rotary=rotary)
        self.up, self.down = nn.Linear(width, hidden, bias=bias), nn.Linear(hidden, width, bias=bias)
        self.drop = nn.Dropout(dropout)

    def forward(self, sequence: Tensor) -> Tensor:
        """Return the sequence after the block, (b, T, width)."""
        sequence = sequence + self.drop(self.attention(self.attention_norm(sequence)))
        return sequence + self.drop(self.down(gelu(self.up(self.mlp_norm(sequence)))))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Tokens, (b, T) int64 -> outputs for the next token at each place, (b, T, vocabulary).

    Args:
        vocabulary: how many tokens there are.
        places: T, the longest sequence.
        width: of a token's features.
        blocks: applied one after the other.
        norm: makes the normalisation before the head.
        dropout: of the tokens' features.
        learnt_positions: whether a vector is learnt for each place; else the blocks know places themselves.
        tied: whether the head's matrix is the table of the tokens' vectors.

    """

    def __init__(
        self,
        vocabulary: int,
        places: int,
        width: int,
        blocks: list[Block],
        norm: Callable[[], nn.Module],
        dropout: float,
        *,
        learnt_positions: bool,
        tied: bool,
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(places, width)) if learnt_positions else None
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(blocks)
        self.norm = norm()
        self.head = nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (b, T, vocabulary)."""
        sequence = self.tokens(tokens)  # (b, T, width)
        if self.positions is not None:
            sequence = sequence + self.positions[: tokens.shape[1]]
        sequence = self.drop(sequence)
        for block in self.blocks:
            sequence = block(sequence)
        return cast("Tensor", self.head(self.norm(sequence)))
