"""Which examples are in each batch."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from normlaw.study.spec import RunSpec
from normlaw.training.randomness import Stream, generator


class BatchOrder:
    """Gives the indices of one batch after the other; each epoch is a fresh permutation of the examples."""

    def __init__(self, spec: RunSpec, device: torch.device | str) -> None:
        self._stream = generator(spec.seed, Stream.ORDER)
        self._size, self._batch_size, self._device = spec.train_size, spec.batch_size, device
        self._order = torch.empty(0, dtype=torch.int64, device=device)
        self._taken = 0

    def next(self) -> Tensor:
        """Return the next batch's indices, (b,) int64; the last batch of an epoch may be smaller."""
        if self._taken == len(self._order):
            permutation = torch.from_numpy(self._stream.permutation(self._size))
            self._order, self._taken = permutation.to(self._device), 0  # (train_size,)
        batch = self._order[self._taken : self._taken + self._batch_size]
        self._taken += len(batch)
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Return where the order stands."""
        stream = json.dumps(self._stream.bit_generator.state)
        return {"stream": stream, "order": self._order, "taken": self._taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another one stood."""
        self._stream.bit_generator.state = json.loads(state["stream"])
        self._order, self._taken = state["order"].to(self._device), state["taken"]
