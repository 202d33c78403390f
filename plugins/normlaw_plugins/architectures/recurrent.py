"""An LSTM whose steps can be taken of many networks at once."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear


class SteppedLSTM(nn.LSTM):
    """`nn.LSTM` of a batch of whole sequences, from a state of zeros: its parameters, taken step by step.

    torch's own keeps a list of its weights besides its parameters, so that networks whose parameters are put in
    from outside, as those of a stack are, would be trained without effect.
    """

    def forward(self, sequence: Tensor) -> Tensor:  # type: ignore[override]
        """Return the last layer's states, (b, T, hidden), of a sequence, (b, T, features)."""
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                sequence = nn.functional.dropout(sequence, self.dropout)
            sequence = self._layer(sequence, layer)
        return sequence

    def _layer(self, sequence: Tensor, layer: int) -> Tensor:
        weight, recurrent, bias, other = (
            cast("Tensor", getattr(self, f"{name}_l{layer}"))
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        given = linear(sequence, weight, bias + other)  # (b, T, 4 hidden)
        state = given.new_zeros(given.shape[0], self.hidden_size)  # (b, hidden)
        cell, states = state, []
        for place in given.unbind(1):  # (b, 4 hidden)
            enter, forget, new, leave = (place + linear(state, recurrent)).chunk(4, dim=1)
            cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
            state = leave.sigmoid() * cell.tanh()
            states.append(state)
        return torch.stack(states, dim=1)


class RecurrentPredictor(nn.Module):
    """Tokens, (b, T) int64 -> outputs for the next token at each place, (b, T, vocabulary)."""

    def __init__(self, vocabulary: int, width: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.lstm = SteppedLSTM(width, hidden, layers, dropout=dropout if layers > 1 else 0.0, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (b, T, vocabulary)."""
        return cast("Tensor", self.head(self.drop(self.lstm(self.drop(self.tokens(tokens))))))
