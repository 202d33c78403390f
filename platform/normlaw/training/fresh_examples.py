"""Batches of examples that no step has seen before, for runs that see each example once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from normlaw.study.spec import RunSpec
from normlaw.training.data import Change, Examples, RunData

AHEAD = 1024
"""Examples that are drawn at once, where a batch has fewer."""


class FreshExamples:
    """Gives one batch of a data set's endless sequence after the other; the last one of a run may be smaller.

    Args:
        spec: a run with `sampling: one_pass`.
        data: its data, whose data set has `fresh`.

    """

    def __init__(self, spec: RunSpec, data: RunData) -> None:
        self._data, self._device = data, str(data.train.split.labels.device)
        self._batch_size, self._end = spec.batch_size, spec.train_size
        self._ahead = spec.batch_size * max(1, AHEAD // spec.batch_size)
        self._taken = self._start = self._stop = 0
        self._drawn: Examples | None = None

    def next(self, change: Change | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return numbers in the sequence (b,), inputs (b, *input_shape) as seen, and labels (b, ...)."""
        if self._drawn is None or self._taken >= self._stop:
            fresh = self._data.splits.fresh
            assert fresh is not None, "a run with such data is refused when they are loaded"
            self._start, self._stop = self._taken, min(self._taken + self._ahead, self._end)
            split = fresh(self._start, self._stop)
            self._drawn = Examples.of(split, self._data.splits, self._device)
        first = self._taken - self._start
        inputs, labels = self._drawn.batch(slice(first, first + self._batch_size), change)
        numbers = torch.arange(self._taken, self._taken + len(labels), device=self._device)
        self._taken += len(labels)
        return numbers, inputs, labels

    def state_dict(self) -> dict[str, Any]:
        """Return where the sequence stands."""
        return {"taken": self._taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another one stood."""
        self._taken, self._drawn = state["taken"], None
