"""What train sizes count, as sentences have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normlaw_registry.dataset import EXAMPLES

if TYPE_CHECKING:
    import pandas as pd


def told_sizes(sizes: pd.Series[int] | Sequence[int], unit: str) -> str:
    """Return how many train sizes there are, their ends, and what they count where it is not examples.

    >>> told_sizes([10, 20, 4000], "examples"), told_sizes([10, 20], "sequences of 64 tokens")
    ('3 train sizes from 10 to 4,000', '2 train sizes from 10 to 20 sequences of 64 tokens')
    """
    of = "" if unit == EXAMPLES else f" {unit}"
    return f"{len(sizes)} train sizes from {min(sizes):,} to {max(sizes):,}{of}"
