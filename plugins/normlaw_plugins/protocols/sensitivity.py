"""How far the exponents move with the choice of window, first train size and shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normlaw_plugins.protocols.early_scan import EarlyScan
from normlaw_plugins.protocols.line_scan import LineScan
from normlaw_registry.curves import floats, weight_range

LEAST_WEIGHT = 1e-3
"""First train sizes of the optimal norm that weigh less are left out: they would only lengthen the table."""


def sensitivity(
    early: EarlyScan,
    early_weight: NDArray[np.float64],
    norm_line: LineScan,
    norm_weight: NDArray[np.float64],
    sizes: NDArray[np.int64],
) -> pd.DataFrame:
    """Return gamma_1 and gamma_pred of every admissible pair of choices, with its weight; the heaviest first.

    The early law and the optimal norm are averaged independently, so a pair weighs the product of the two.

    Columns: low, high (window in ln(lambda/lambda_opt)), first_train_size, correction (m of the bend, 0 for
    the straight law), points, gamma_1, gamma_2_first_train_size, gamma_2, gamma_pred, weight.
    """
    w, f, s = np.nonzero(np.isfinite(early.criterion[0]))
    gamma_1 = pd.DataFrame(
        {
            "low": early.low[w],
            "high": early.high[w],
            "first_train_size": early.first_sizes[f],
            "correction": np.asarray(early.corrections)[s],
            "points": early.points[w, f],
            "gamma_1": early.gamma_1[0][w, f, s],
            "early_weight": early_weight[w, f, s],
        }
    )
    kept = np.isfinite(norm_line.criterion[0]) & (norm_weight >= LEAST_WEIGHT * norm_weight.max())
    gamma_2 = pd.DataFrame(
        {
            "gamma_2_first_train_size": sizes[kept],
            "gamma_2": norm_line.slope[0][kept],
            "norm_weight": norm_weight[kept] / norm_weight[kept].sum(),
        }
    )
    table = gamma_1.merge(gamma_2, how="cross")
    table["gamma_pred"] = table["gamma_1"] * table["gamma_2"]
    table["weight"] = table.pop("early_weight") * table.pop("norm_weight")
    return table.sort_values("weight", ascending=False, kind="stable").reset_index(drop=True)


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
