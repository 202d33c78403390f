"""Columns of a frame as typed arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def floats(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column in float64, (rows,)."""
    return np.asarray(frame[name], dtype=np.float64)


def integers(frame: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return a column in int64, (rows,)."""
    return np.asarray(frame[name], dtype=np.int64)
