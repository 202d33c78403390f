"""An endless sequence of examples that is the same however it is asked for: drawn block by block."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from normlaw_registry import Split

BLOCK = 1024
"""Examples of a block."""


def in_blocks(draw: Callable[[int], Split]) -> Callable[[int, int], Split]:
    """Return what gives examples number `start` to `stop` - 1 of a sequence; two blocks are remembered.

    Args:
        draw: gives block number 0, 1, ..., each `BLOCK` examples from a generator of its own.

    """
    remembered = lru_cache(maxsize=2)(draw)

    def fresh(start: int, stop: int) -> Split:
        import torch

        parts = []
        for number in range(start // BLOCK, -(-stop // BLOCK)):
            block, first = remembered(number), number * BLOCK
            within = slice(max(start - first, 0), min(stop - first, BLOCK))
            parts.append((block.inputs[within], block.labels[within]))
        inputs, labels = (torch.cat(part) for part in zip(*parts, strict=True))
        return Split(inputs=inputs, labels=labels)

    return fresh
