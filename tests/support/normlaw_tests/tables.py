"""One number of a table, as a float: what pandas returns may be anything, and no test compares with that."""

from __future__ import annotations

import pandas as pd


def number(table: pd.DataFrame, row: str, column: str) -> float:
    """Return the number in the one row of that label. Raises KeyError without it, TypeError with several."""
    return float(table[column].loc[row])
