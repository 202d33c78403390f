"""How far the exponents move with the choice of window, first train size and shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw.analysis.columns import floats
from normlaw.analysis.early_scan import EarlyScan
from normlaw.analysis.line_scan import LineScan

SHARE = 0.9


def sensitivity(early: EarlyScan, weight: NDArray[np.float64], norm_line: LineScan) -> pd.DataFrame:
    """Return gamma_1 and gamma_pred of every admissible choice, with its weight; the heaviest first.

    Columns: low, high (window in ln(lambda/lambda_opt)), first_train_size, correction (m of the bend, 0 for
    the straight law), points, gamma_1, gamma_2 (from the same first train size; NaN where too few sizes are
    left), gamma_pred, weight.
    """
    w, f, s = np.nonzero(np.isfinite(early.criterion[0]))
    gamma_1 = early.gamma_1[0][w, f, s]
    gamma_2 = np.where(np.isfinite(norm_line.criterion[0]), norm_line.slope[0], np.nan)[f]
    table = pd.DataFrame(
        {
            "low": early.low[w],
            "high": early.high[w],
            "first_train_size": early.first_sizes[f],
            "correction": np.asarray(early.corrections)[s],
            "points": early.points[w, f],
            "gamma_1": gamma_1,
            "gamma_2": gamma_2,
            "gamma_pred": gamma_1 * gamma_2,
            "weight": weight[w, f, s],
        }
    )
    return table.sort_values("weight", ascending=False, kind="stable").reset_index(drop=True)


def weight_range(table: pd.DataFrame, name: str, share: float = SHARE) -> tuple[float, float]:
    """Return the range in which the middle `share` of the weight of one column lies."""
    known = table[np.isfinite(floats(table, name))].sort_values(name)
    cumulative = np.cumsum(floats(known, "weight"))
    cumulative /= cumulative[-1]
    values, tail = floats(known, name), (1 - share) / 2
    low = values[int(np.searchsorted(cumulative, tail))]
    high = values[min(int(np.searchsorted(cumulative, 1 - tail)), len(values) - 1)]
    return float(low), float(high)


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Return, for gamma_1 and gamma_pred, the range of 90 % of the weight and the range of all choices."""
    out: dict[str, Any] = {"choices": len(table)}
    for name in ("gamma_1", "gamma_pred"):
        values = floats(table, name)
        out[name] = {
            "weight_90": list(weight_range(table, name)),
            "all": [float(np.nanmin(values)), float(np.nanmax(values))],
        }
    return out
