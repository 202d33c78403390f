"""The last block of a vision transformer, at the one token whose output is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from normlaw_registry import LayerRule, LinearMap


class ClassTokenAttention(nn.Module):
    """What self-attention puts at the first token of a sequence: neither queries nor outputs of the others."""

    def __init__(self, layer: nn.MultiheadAttention) -> None:
        super().__init__()
        self.num_heads, self.dropout = layer.num_heads, layer.dropout
        self.in_proj_weight, self.in_proj_bias = layer.in_proj_weight, layer.in_proj_bias  # query, key, value
        self.out_proj = layer.out_proj

    def forward(self, sequence: Tensor) -> Tensor:
        """Return the attended first token, (b, 1, embed), of a sequence, (b, tokens, embed)."""
        batch, tokens, embed = sequence.shape
        size = embed // self.num_heads
        weights, biases = self.in_proj_weight, self.in_proj_bias
        query = linear(sequence[:, :1], weights[:embed], biases[:embed])  # (b, 1, embed)
        joint = linear(sequence, weights[embed:], biases[embed:])  # (b, tokens, 2 embed)
        q = query.view(batch, 1, self.num_heads, size).transpose(1, 2)  # (b, heads, 1, size)
        k, v = joint.view(batch, tokens, 2, self.num_heads, size).permute(2, 0, 3, 1, 4).unbind()
        dropout = self.dropout if self.training else 0.0
        attended = scaled_dot_product_attention(q, k, v, dropout_p=dropout)  # (b, heads, 1, size)
        return cast("Tensor", self.out_proj(attended.reshape(batch, 1, embed)))


class ClassTokenBlock(nn.Module):
    """torchvision's `EncoderBlock` where only the class token's output is read: its parameters, by its names.

    In a block of 65 tokens of the width d this leaves 2 d^2 of 12 d^2 products a token: key and value.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.ln_1 = cast("nn.Module", block.ln_1)
        self.self_attention = ClassTokenAttention(cast("nn.MultiheadAttention", block.self_attention))
        self.dropout = cast("nn.Module", block.dropout)
        self.ln_2 = cast("nn.Module", block.ln_2)
        self.mlp = cast("nn.Module", block.mlp)

    def forward(self, sequence: Tensor) -> Tensor:
        """Return the block's output at the class token, (b, 1, width), of a sequence, (b, tokens, width)."""
        normed = self.ln_1(sequence)
        token = sequence[:, :1] + self.dropout(self.self_attention(normed))  # (b, 1, width)
        return cast("Tensor", token + self.mlp(self.ln_2(token)))


def _maps(layer: nn.Module, name: str, shape: tuple[int, ...]) -> Sequence[LinearMap]:
    """Return the four maps of the attention: key and value at all tokens, query and output at one."""
    assert isinstance(layer, ClassTokenAttention)
    query, key, value = layer.in_proj_weight.detach().chunk(3)  # each (embed, embed)
    tokens = shape[0]
    parts = {
        "query": (query, 1),
        "key": (key, tokens),
        "value": (value, tokens),
        "output": (layer.out_proj.weight.detach(), 1),
    }
    return tuple(
        LinearMap(name=f"{name}.{part}", operation="dense", weight=weight, positions=positions)
        for part, (weight, positions) in parts.items()
    )


LAYER_RULES: Mapping[type[nn.Module], LayerRule] = {ClassTokenAttention: _maps}
