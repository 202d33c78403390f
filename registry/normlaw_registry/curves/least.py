"""The least measured point of each curve, and the means of optima over the runs of a train size."""

from __future__ import annotations

import numpy as np
import pandas as pd


def least_points(points: pd.DataFrame, by: str = "run") -> pd.DataFrame:
    """Return the measured point of least error of each curve, the first one if there are several.

    Args:
        points: columns `by`, train_size, log_norm, log_error, sorted by norm within a curve.
        by: the column that names curves.

    Returns:
        One row a curve, sorted by train size: `by`, train_size, log_norm, log_error, bracketed (whether
        the curve has points on both sides of the least one).

    """
    groups = points.groupby(by, sort=False)
    least = points.loc[groups["log_error"].idxmin()]
    inside = (least["log_norm"].to_numpy() > groups["log_norm"].min().loc[least[by]].to_numpy()) & (
        least["log_norm"].to_numpy() < groups["log_norm"].max().loc[least[by]].to_numpy()
    )
    columns = list(dict.fromkeys([by, "train_size", "log_norm", "log_error"]))
    optima = least[columns].assign(bracketed=inside)
    return optima.sort_values(["train_size", by]).reset_index(drop=True)


def size_optima(optima: pd.DataFrame) -> pd.DataFrame:
    """Return the mean optimum of each train size with its standard error over runs (NaN for one run)."""
    groups = optima.groupby("train_size", sort=True)
    count = groups.size()
    return pd.DataFrame(
        {
            "train_size": count.index.to_numpy(),
            "runs": count.to_numpy(),
            "log_norm": groups["log_norm"].mean().to_numpy(),
            "log_norm_stderr": (groups["log_norm"].std() / np.sqrt(count)).to_numpy(),
            "log_error": groups["log_error"].mean().to_numpy(),
            "log_error_stderr": (groups["log_error"].std() / np.sqrt(count)).to_numpy(),
        }
    )
