"""Self-attention that does not copy its sequence on the way."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention


class SelfAttention(nn.MultiheadAttention):
    """`nn.MultiheadAttention` of a sequence with itself, batch first: the same parameters, products and bits.

    torch's own moves the sequence's axis to the front and back, and its gradient fills three arrays of the size
    of query, key and value together with zeros: an eighth of a small vision transformer's step on a CPU.
    Masks, attention weights and two sequences are left to torch.
    """

    @classmethod
    def of(cls, layer: nn.MultiheadAttention) -> Self:
        """Return a layer that takes the parameters over, without drawing any."""
        made = cls(layer.embed_dim, layer.num_heads, layer.dropout, batch_first=True, device="meta")
        made.load_state_dict(layer.state_dict(), assign=True)
        return made

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, *args: Any, **options: Any
    ) -> tuple[Tensor, Tensor | None]:
        """Return the attended sequence, (b, tokens, embed), and None in the place of attention weights."""
        if args or options != {"need_weights": False} or query is not key or key is not value:
            return super().forward(query, key, value, *args, **options)
        batch, tokens, embed = query.shape
        joint = linear(query, self.in_proj_weight, self.in_proj_bias)  # (b, tokens, 3 embed)
        heads = joint.view(batch, tokens, 3, self.num_heads, self.head_dim)
        q, k, v = heads.permute(2, 0, 3, 1, 4).unbind()  # each (b, heads, tokens, head_dim), not copied
        dropout = self.dropout if self.training else 0.0
        attended = scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        joined = attended.transpose(1, 2).reshape(batch, tokens, embed)
        return linear(joined, self.out_proj.weight, self.out_proj.bias), None
