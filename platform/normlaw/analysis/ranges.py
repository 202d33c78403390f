"""What the numbers of learning curves may be: the same for files and for frames."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

LARGEST = 2**53
"""Of whole numbers: above it a float64 does not tell neighbouring ones apart."""
LARGEST_LOG = 1_000_000
"""Of a natural log of a norm: the squares and sums of fits stay exact, and no network has such a norm."""

SIZES = ("train_size",)
LOGS = ("log_norm", "mean_log_optimal_norm")
FRACTIONS = ("test_error", "validation_error")
LOSSES = ("test_loss", "validation_loss")
POSITIVE = ("alpha",)


def out_of_range(column: str, number: pd.Series[float]) -> Iterator[tuple[pd.Series[bool], str]]:
    """Yield which numbers a column cannot hold, with what it must be; NaN is not looked at.

    Args:
        column: its name; all numbers are right for one that is not named above.
        number: in float64.

    """
    if column in SIZES:
        yield number <= 0, "must be positive"
        yield (number > LARGEST) | number.between(0, 1, inclusive="neither"), "must lie in [1, 2^53]"
    if column in LOGS:
        yield number.abs() > LARGEST_LOG, f"must lie within +-{LARGEST_LOG:,}"
    if column in FRACTIONS:
        yield number.notna() & ~number.between(0, 1), "must be a fraction in [0, 1]"
    if column in LOSSES:
        yield number < 0, "must not be negative"
    if column in POSITIVE:
        yield number <= 0, "must be positive"
