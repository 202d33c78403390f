"""Mean curves over seeds, on a common grid of norms."""

from __future__ import annotations

import numpy as np
import pandas as pd


def mean_curves(curves: pd.DataFrame, grid_points: int = 50) -> pd.DataFrame:
    """Return the mean error of the runs of each train size.

    Each run is interpolated linearly in the log norm on a grid that all sizes share, `grid_points` equal
    steps in log norm from the least to the largest norm measured; outside a run's own range it is missing,
    and the mean is over the runs that are present. A size with one run keeps that run's own points.

    Args:
        curves: points as `normlaw.analysis.curves.prepare` returns them.
        grid_points: number of points of the common grid.

    Returns:
        Columns train_size, log_norm, test_error, log_error, runs (how many entered the mean).

    """
    grid = np.linspace(curves["log_norm"].min(), curves["log_norm"].max(), grid_points)
    frames: list[pd.DataFrame] = []
    for size, of_size in curves.groupby("train_size", sort=True):
        runs = [run for _, run in of_size.groupby("run", sort=False)]
        if len(runs) == 1:
            norms, errors = runs[0]["log_norm"].to_numpy(), runs[0]["test_error"].to_numpy()
            present = np.ones(len(norms), dtype=np.int64)
        else:
            rows = np.stack(  # (runs, grid)
                [np.interp(grid, r["log_norm"], r["test_error"], left=np.nan, right=np.nan) for r in runs]
            )
            present = np.isfinite(rows).sum(axis=0)  # (grid,)
            some = present > 0
            norms, errors, present = grid[some], np.nanmean(rows[:, some], axis=0), present[some]
        frames.append(
            pd.DataFrame({"train_size": size, "log_norm": norms, "test_error": errors, "runs": present})
        )
    means = pd.concat(frames, ignore_index=True)
    means["log_error"] = np.log(means["test_error"])
    return means
