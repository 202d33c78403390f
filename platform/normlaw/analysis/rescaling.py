"""Curves moved over one another by two exponents: what finite-size scaling calls a collapse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from normlaw.analysis.collapse import on_common_grid
from normlaw_registry.curves.columns import floats


@dataclass(frozen=True)
class Rescaled:
    """Mean curves with norm and error in units that the exponents say."""

    curves: pd.DataFrame
    """train_size, log_norm = ln(norm / (P/P_0)^gamma_2), and
    log_error = ln(error (P/P_0)^(gamma_0 + gamma_1 gamma_2)), P_0 the geometric mean of the train sizes."""
    spread: float | None
    """Standard deviation of log_error between train sizes, root mean square over the norms that all have in
    common: a relative error; None where they have none in common, or there is one size."""
    overlap: tuple[float, float] | None
    """The limits of these norms, in log_norm."""


def rescaled(means: pd.DataFrame, gamma_1: float, gamma_2: float, gamma_0: float = 0.0) -> Rescaled:
    """Return mean curves rescaled: where the laws hold with these exponents they are one curve.

    The form is error = P^-(gamma_0 + gamma_1 gamma_2) F(norm / P^gamma_2), which the laws give while the
    envelope is a power law (D'Amico, Bocchi and Negri 2025, arXiv 2505.13230).

    Args:
        means: train_size, log_norm, log_error, by rising norm within a size.
        gamma_1: exponent of the early law.
        gamma_2: exponent of the optimal norm.
        gamma_0: exponent of the train size at one norm.

    """
    log_size = np.log(floats(means, "train_size"))
    sizes = means["train_size"].unique()
    relative = log_size - float(np.log(sizes.astype(np.float64)).mean()) if len(sizes) else log_size
    moved = pd.DataFrame(
        {
            "train_size": means["train_size"].to_numpy(),
            "log_norm": floats(means, "log_norm") - gamma_2 * relative,
            "log_error": floats(means, "log_error") + (gamma_0 + gamma_1 * gamma_2) * relative,
        }
    )
    spread, overlap = _spread([curve for _, curve in moved.groupby("train_size", sort=True)])
    return Rescaled(moved, spread, overlap)


def _spread(curves: list[pd.DataFrame]) -> tuple[float | None, tuple[float, float] | None]:
    if len(curves) < 2:
        return None, None
    common = on_common_grid([(floats(c, "log_norm"), floats(c, "log_error")) for c in curves])
    if common is None:
        return None, None
    grid, on_grid = common
    return float(np.sqrt(on_grid.var(axis=0, ddof=1).mean())), (float(grid[0]), float(grid[-1]))
