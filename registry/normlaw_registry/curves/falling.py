"""Norms that fall while a network trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ALIKE = 1e-9
"""Log norms closer than this are one."""


def falling_runs(curves: pd.DataFrame) -> list[str]:
    """Return the runs whose norm is smaller at their last step than at their first.

    Args:
        curves: with columns run, log_norm and step; without a step at every point nobody knows, and there are
            none.

    """
    if "step" not in curves.columns or not curves["step"].notna().all():
        return []
    norms = curves.sort_values("step", kind="stable").groupby("run", sort=False)["log_norm"]
    grown = norms.last() - norms.first()
    return [str(run) for run in grown.index[np.asarray(grown) < -ALIKE]]
