"""Every norm that was measured, where its run is at its optimum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from normlaw.analysis.columns import PREFIX
from normlaw_registry.curves.columns import floats


def norms_at_optima(
    whole: pd.DataFrame, points: pd.DataFrame, optima: pd.DataFrame, columns: Sequence[str]
) -> pd.DataFrame:
    """Return each norm at the optimum of each run, linear in the study's log norm between two points.

    Args:
        whole: columns run, step and `columns` (natural logs); a row a measuring point.
        points: run, step and log_norm (of the study's norm), sorted by it along each run.
        optima: run, train_size and log_norm, one row a run.
        columns: which norms, log_norm/<name>.

    Returns:
        Columns run, train_size, norm (name), log_norm; a run that lacks a norm at all its points has no row.

    """
    measured = whole[["run", "step", *columns]].astype({"run": str})
    both = points[["run", "step", "log_norm"]].merge(measured, on=["run", "step"], how="left")
    curves = dict(tuple(both.groupby("run", sort=False)))
    rows = []
    for run, size, vertex in zip(optima["run"], optima["train_size"], floats(optima, "log_norm"), strict=True):
        curve = curves[str(run)]
        x = floats(curve, "log_norm")
        for column in columns:
            y = floats(curve, column)
            known = np.isfinite(y)
            if known.any():
                rows.append(
                    (str(run), size, column.removeprefix(PREFIX), np.interp(vertex, x[known], y[known]))
                )
    return pd.DataFrame(rows, columns=["run", "train_size", "norm", "log_norm"])
