"""The points that an early law is fitted to."""

from __future__ import annotations

import pandas as pd


def early_points(
    curves: pd.DataFrame,
    size_optima: pd.DataFrame,
    window: tuple[float, float] | None = None,
    first_train_size: int | None = None,
) -> pd.DataFrame:
    """Return the points of the early fit.

    Args:
        curves: as a protocol is given them.
        size_optima: train_size, log_norm of each train size's optimum.
        window: limits of ln(lambda/lambda_opt), both included; None: all before the optimum.
        first_train_size: smaller train sizes are left out; None: none is.

    """
    low, high = window or (-float("inf"), 0.0)
    log_optimum = curves["train_size"].map(size_optima.set_index("train_size")["log_norm"])
    kept = (curves["log_norm"] - log_optimum).between(low, high)
    if first_train_size is not None:
        kept &= curves["train_size"] >= first_train_size
    return curves[kept].reset_index(drop=True)
