"""The curves as figures show them: the mean over the runs of a train size, with the band that the runs fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from normlaw_registry.curves.columns import floats, run_slices

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEW = 10
"""With fewer runs of a train size, its band reaches from the least to the largest; else 16 to 84 %."""


@dataclass(frozen=True)
class SizeCurve:
    """The mean curve of one train size where all its runs have points: otherwise it jumps where one ends."""

    log_norm: Floats
    """Natural log, (points,)."""
    log_error: Floats
    """Natural log, (points,)."""
    low: Floats
    """Lower edge of the band over runs in log_error, (points,); NaN for a single run."""
    high: Floats
    """Upper edge."""

    def at(self, log_norm: Floats) -> Floats:
        """Return log_error at log norms along the curve as it is drawn; NaN beyond its ends."""
        return np.interp(log_norm, self.log_norm, self.log_error, left=np.nan, right=np.nan)


def size_curves(points: pd.DataFrame, means: pd.DataFrame) -> dict[int, SizeCurve]:
    """Return the curve of each train size.

    The band is that of the runs' errors at the norms of the mean curve, each run interpolated linearly in the
    log norm, as the mean is.

    Args:
        points: train_size, run, log_norm, test_error; a run's rows stand one after the other by rising norm.
        means: columns as `mean_curves` gives them.

    """
    x, y = floats(points, "log_norm"), floats(points, "test_error")
    runs: dict[int, list[slice]] = {}
    for size, _, rows in run_slices(points):
        runs.setdefault(size, []).append(rows)
    curves = {}
    for group, mean in means.groupby("train_size", sort=True):
        whole = mean[mean["runs"] == mean["runs"].max()].sort_values("log_norm")
        at, log_error = floats(whole, "log_norm"), floats(whole, "log_error")
        low = high = np.full(len(at), np.nan)
        size = int(str(group))
        own = runs.get(size, [])
        if len(own) > 1:
            values = np.stack([np.interp(at, x[rows], y[rows], left=np.nan, right=np.nan) for rows in own])
            low, high = np.log(np.quantile(values, limits(len(own)), axis=0))  # NaN where a run has no point
        curves[size] = SizeCurve(at, log_error, low, high)
    return curves


def limits(runs: int) -> tuple[float, float]:
    """Return the quantiles that a band reaches to."""
    return (0.0, 1.0) if runs < FEW else (0.16, 0.84)


def band_told(points: pd.DataFrame) -> str:
    """Return what the bands of a study are, for a caption; nothing without repeated runs."""
    count = points.groupby("train_size")["run"].nunique()
    repeated = count[count > 1]
    if not len(repeated):
        return ""
    kinds = {
        "least to largest of the runs" if n < FEW else "16 to 84 % of the runs" for n in map(int, repeated)
    }
    return " or ".join(sorted(kinds))
