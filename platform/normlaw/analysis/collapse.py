"""How well the curves fall on one master curve when each is divided by its optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw_registry.curves.columns import floats, run_slices

Floats = NDArray[np.float64]
GRID = 101
ROUNDING = 1e-12
"""Scatter of ln(error) below which runs are the same."""


@dataclass(frozen=True, kw_only=True)
class Collapse:
    """Quality of the collapse; spreads are standard deviations of ln(eps/eps_opt), so relative errors."""

    spread: float
    """Standard deviation between the mean rescaled curves of the sizes, root mean square over the overlap."""
    noise_floor: float | None
    """What `spread` would be if sizes differed by the scatter of their runs alone; None for single runs."""
    overlap: tuple[float, float]
    """Range of ln(lambda/lambda_opt) that all sizes have in common."""
    profile: pd.DataFrame
    """relative_log_norm, spread, noise_floor (NaN without repeated runs) along the overlap."""

    @property
    def ratio(self) -> float | None:
        """Spread in units of the noise floor: 1 is a perfect collapse within the scatter of runs.

        None for runs that do not scatter, but for rounding.
        """
        return self.spread / self.noise_floor if self.noise_floor and self.noise_floor > ROUNDING else None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers in JSON's own types."""
        return {
            "spread": self.spread,
            "noise_floor": self.noise_floor,
            "ratio": self.ratio,
            "overlap": list(self.overlap),
        }


def on_common_grid(curves: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats] | None:
    """Return the grid over what all curves have in common, (grid,), and each curve on it, (curves, grid).

    Args:
        curves: x, rising, and y of each; between the points it is a straight line.

    Returns:
        None when they have no range in common.

    """
    low, high = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    if not low < high:
        return None
    grid = np.linspace(low, high, GRID)
    return grid, np.stack([np.interp(grid, x, y) for x, y in curves])


def collapse_quality(curves: pd.DataFrame, optima: pd.DataFrame) -> Collapse | None:
    """Measure the spread between rescaled curves over the norms that all train sizes have in common.

    Every run is divided by its own optimum and interpolated linearly in logarithms on a grid over the
    overlap; sizes are compared by the means of their runs. The noise floor is the root mean square standard
    error of these means. (In the manner of Qiu et al. 2025, arXiv 2507.02119, who compare with the scatter
    of seeds.)

    Returns:
        None when the train sizes have no range in common.

    """
    pairs = zip(floats(optima, "log_norm"), floats(optima, "log_error"), strict=True)
    at = dict(zip(optima["run"], pairs, strict=True))
    log_norm, log_error = floats(curves, "log_norm"), floats(curves, "log_error")
    runs = [
        (size, log_norm[rows] - at[name][0], log_error[rows] - at[name][1])
        for size, name, rows in run_slices(curves)
    ]
    sizes = np.array([size for size, _, _ in runs])
    common = on_common_grid([(x, y) for _, x, y in runs])
    if common is None:
        return None
    grid, rescaled = common  # (grid,), (runs, grid)
    means, errors = [], []
    for size in np.unique(sizes):
        own = rescaled[sizes == size]
        means.append(own.mean(axis=0))
        errors.append(own.var(axis=0, ddof=1) / len(own) if len(own) > 1 else np.full(GRID, np.nan))
    spread = np.stack(means).std(axis=0, ddof=1)  # (grid,)
    variance = np.stack(errors).mean(axis=0)  # (grid,)
    floor = float(np.sqrt(variance.mean()))
    return Collapse(
        spread=float(np.sqrt((spread**2).mean())),
        noise_floor=floor if np.isfinite(floor) else None,
        overlap=(float(grid[0]), float(grid[-1])),
        profile=pd.DataFrame({"relative_log_norm": grid, "spread": spread, "noise_floor": np.sqrt(variance)}),
    )
