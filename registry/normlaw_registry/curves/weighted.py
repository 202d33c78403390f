"""The range of weighted choices."""

from __future__ import annotations

import numpy as np
import pandas as pd

from normlaw_registry.curves.columns import floats

SHARE = 0.9


def weight_range(table: pd.DataFrame, name: str, share: float = SHARE) -> tuple[float, float]:
    """Return the range in which the middle `share` of the weight of one column lies.

    Args:
        table: a row a choice, with its `weight`.
        name: the column; choices where it is not finite do not count.
        share: of the weight, in (0, 1).

    """
    known = table[np.isfinite(floats(table, name))].sort_values(name)
    cumulative = np.cumsum(floats(known, "weight"))
    cumulative /= cumulative[-1]
    values, tail = floats(known, name), (1 - share) / 2
    low = values[int(np.searchsorted(cumulative, tail))]
    high = values[min(int(np.searchsorted(cumulative, 1 - tail)), len(values) - 1)]
    return float(low), float(high)
