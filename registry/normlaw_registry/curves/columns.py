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


def run_slices(curves: pd.DataFrame) -> list[tuple[int, str, slice]]:
    """Return (train size, run, rows) of each run, in order; a run's rows stand one after the other."""
    runs = np.asarray(curves["run"].astype("category").cat.codes)
    sizes = integers(curves, "train_size")
    starts = np.flatnonzero(np.r_[True, runs[1:] != runs[:-1]])
    names = np.asarray(curves["run"].iloc[starts])
    stops = np.r_[starts[1:], len(curves)]
    return [
        (int(sizes[start]), str(name), slice(int(start), int(stop)))
        for start, stop, name in zip(starts, stops, names, strict=True)
    ]
