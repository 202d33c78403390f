"""A network's outputs on examples that are the same at each of its many measuring points."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from normlaw.training.data import Change, Examples
from normlaw.training.evaluation import outputs


class KeptInputs:
    """Gives outputs as `outputs` does, to the last bit, and makes the batches of the examples once.

    Making them copies all examples, since a network may write into what it is given; one that has is given new
    ones the next time.

    Args:
        forward: the network.
        at_once: examples in a forward pass.

    """

    def __init__(self, forward: Callable[[Tensor], Tensor], at_once: int) -> None:
        self._forward, self._at_once = forward, at_once
        self._kept: dict[int, tuple[Examples, list[Tensor]]] = {}

    @torch.no_grad()
    def __call__(self, examples: Examples, changed: Change | None = None) -> Tensor:
        """Return the network's outputs, (n, *output_shape)."""
        if changed is not None:
            return outputs(self._forward, examples, changed, at_once=self._at_once)
        kept = self._kept.pop(id(examples), None)
        batches = kept[1] if kept else [one.inputs for one in examples.batches(None, self._at_once)]
        versions = [batch._version for batch in batches]
        found = torch.cat([self._forward(batch) for batch in batches])
        if versions == [batch._version for batch in batches]:
            self._kept[id(examples)] = examples, batches
        return found
