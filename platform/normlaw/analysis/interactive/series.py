"""From the numbers that a figure records to what is drawn: each series with its axes' own numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from normlaw.analysis.interactive.looks import Look

LARGEST = 300.0
"""log10 of a norm that an axis of the norm itself can hold; beyond it the axis holds the log."""
HEIGHTS = ("error", "ratio", "exponent")
"""Columns that a vertical axis holds."""

Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Series:
    """One line, band or set of marks."""

    name: str
    """As the figure records it."""
    train_size: int | None
    """None where it is of all train sizes."""
    columns: Columns
    """x, y; low and high; x_low and x_high; run and name of single runs, whose x and y are lists."""
    look: Look | None = None
    """Default: by its name."""

    @property
    def key(self) -> str:
        """What tells it from the figure's others, however its numbers change."""
        return self.name if self.train_size is None else f"{self.name} P={self.train_size}"

    def numbers(self, name: str) -> np.ndarray:
        """Return all numbers of a column, one after the other; NaN for those that are not known."""
        found = self.columns[name]
        flat = [v for line in found for v in line] if found and isinstance(found[0], list) else found
        return np.array([np.nan if v is None else v for v in flat], dtype=np.float64)


@dataclass(frozen=True)
class Plot:
    """All that is drawn in one pair of axes."""

    series: tuple[Series, ...]
    x_log: bool
    """Whether the horizontal axis is logarithmic; else it holds log10 of norms."""
    y_log: bool
    of_size: bool
    """Whether the horizontal axis holds train sizes."""
    norm_is_high: bool = False
    """Whether the vertical axis holds norms."""
    holds: tuple[str, str] | None = None
    """What the axes hold, where neither holds norms or train sizes."""

    @property
    def train_sizes(self) -> list[int]:
        """The train sizes that have lines of their own."""
        return sorted({one.train_size for one in self.series if one.train_size is not None})

    @property
    def signature(self) -> str:
        """What must stay the same for the plot to be drawn by new numbers alone."""
        return ";".join([*(one.key for one in self.series), f"{self.x_log}{self.y_log}"])


def plot_of(parts: Sequence[pd.DataFrame]) -> Plot:
    """Return what is drawn of the parts that a figure has recorded, see `Drawing.record`."""
    of_size = not any("log10_norm" in part and _height(part) for part in parts)
    norms = [part["log10_norm"].to_numpy(np.float64) for part in parts if "log10_norm" in part]
    as_log = float(np.nanmax(np.abs(np.concatenate([*norms, np.zeros(1)])))) < LARGEST
    heights = {_height(part) for part in parts} - {None}
    norm_is_high = of_size and not heights
    return Plot(
        tuple(one for part in parts if len(part) for one in _series(part, of_size=of_size, as_log=as_log)),
        x_log=of_size or as_log,
        y_log=as_log if norm_is_high else "exponent" not in heights,
        of_size=of_size,
        norm_is_high=norm_is_high,
    )


def _height(part: pd.DataFrame) -> str | None:
    return next((name for name in HEIGHTS if name in part), None)


def _series(part: pd.DataFrame, *, of_size: bool, as_log: bool) -> Iterator[Series]:
    def norm(values: pd.Series[Any]) -> np.ndarray:
        at = values.to_numpy(np.float64)
        return np.power(10.0, at) if as_log else at

    name = str(part["series"].iloc[0])
    columns: dict[str, np.ndarray] = {}
    height = _height(part)
    if of_size:
        columns["x"] = part["train_size"].to_numpy(np.float64)
        columns["y"] = part[height].to_numpy(np.float64) if height else norm(part["log10_norm"])
    else:
        assert height is not None
        columns["x"], columns["y"] = norm(part["log10_norm"]), part[height].to_numpy(np.float64)
    for end in ("low", "high"):
        if end in part:
            columns[end] = part[end].to_numpy(np.float64) if height else norm(part[end])
        if f"norm_{end}" in part:
            columns[f"x_{end}"] = norm(part[f"norm_{end}"])
    sizes = part["train_size"] if "train_size" in part and not of_size else None
    own = int(sizes.iloc[0]) if sizes is not None and sizes.nunique() == 1 and name != "departure" else None
    if "run" in part:
        yield Series(name, own, _by_run(part, columns))
        return
    seen = np.isfinite(columns["x"]) & np.isfinite(columns["y"])
    if "low" in columns and height != "exponent":  # a band on a logarithmic axis ends above 0
        columns["low"] = np.where(columns["low"] > 0, columns["low"], np.nan)
    numbers = {key: _plain(values[seen]) for key, values in columns.items()}
    if sizes is not None and own is None:
        numbers["train_size"] = [int(size) for size in sizes.to_numpy()[seen]]
    yield Series(name, own, numbers)


def _by_run(part: pd.DataFrame, columns: dict[str, np.ndarray]) -> Columns:
    """Return lines of single runs: a list of numbers each."""
    found: Columns = {"x": [], "y": [], "run": [], "name": []}
    for run, rows in part.reset_index(drop=True).groupby("run", sort=False).indices.items():
        found["x"].append(_plain(columns["x"][rows]))
        found["y"].append(_plain(columns["y"][rows]))
        found["run"].append(str(run))
        found["name"].append(str(part["name"].iloc[rows[0]]))
    return found


def _plain(values: np.ndarray) -> list[float | None]:
    """Return numbers as JSON has them: what is not known is null."""
    return [round(float(v), 12) if abs(v) < 1e3 else float(v) if np.isfinite(v) else None for v in values]
