"""Mean curves over seeds, on a common grid of norms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from normlaw_registry.curves.columns import floats, run_slices


def mean_curves(curves: pd.DataFrame, grid_points: int = 50) -> pd.DataFrame:
    """Return the mean error of the runs of each train size.

    Each run is interpolated linearly in the log norm on a grid that all sizes share, `grid_points` equal
    steps in log norm from the least to the largest norm measured; outside a run's own range it is missing,
    and the mean is over the runs that are present. A size with one run keeps that run's own points.

    Args:
        curves: points as a protocol is given them.
        grid_points: number of points of the common grid.

    Returns:
        Columns train_size, log_norm, test_error, log_error, runs (how many entered the mean).

    """
    grid = np.linspace(curves["log_norm"].min(), curves["log_norm"].max(), grid_points)
    x, y = floats(curves, "log_norm"), floats(curves, "test_error")
    runs: dict[int, list[slice]] = {}
    for size, _, rows in run_slices(curves):
        runs.setdefault(size, []).append(rows)
    frames: list[pd.DataFrame] = []
    for size in sorted(runs):
        own = runs[size]
        if len(own) == 1:
            norms, errors = x[own[0]], y[own[0]]
            present = np.ones(len(norms), dtype=np.int64)
        else:
            on_grid = np.stack(  # (runs, grid)
                [np.interp(grid, x[rows], y[rows], left=np.nan, right=np.nan) for rows in own]
            )
            present = np.isfinite(on_grid).sum(axis=0)  # (grid,)
            some = present > 0
            norms, errors, present = grid[some], np.nanmean(on_grid[:, some], axis=0), present[some]
        frames.append(
            pd.DataFrame({"train_size": size, "log_norm": norms, "test_error": errors, "runs": present})
        )
    means = pd.concat(frames, ignore_index=True)
    means["log_error"] = np.log(means["test_error"])
    return means
