"""From curves as MLflow has them, with every measure, to the columns that an analysis takes."""

from __future__ import annotations

import pandas as pd

from normlaw.tracking import keys
from normlaw_registry import InputError
from normlaw_registry.errors import suggestion

OPTIMA = "mean_log_optimal_norm"
"""Optional column of imported curves: what is known of the optimal norms, for a protocol that reads it."""

RESPONSES = {"test/error": "test_error", "test/loss": "test_loss"}
"""Metric -> what a response is called where it is analysed."""


def tidy(curves: pd.DataFrame, norm: str | None) -> tuple[pd.DataFrame, str]:
    """Return the columns that the analysis takes, and the name of the measure that `log_norm` holds.

    Args:
        curves: as `reader.read_curves` returns them.
        norm: the measure; default: the first.

    Raises:
        InputError: the measure was not taken; names those that were.

    """
    prefix = keys.log_norm("")
    measured = [c.removeprefix(prefix) for c in map(str, curves.columns) if c.startswith(prefix)]
    chosen = norm or measured[0]
    if chosen not in measured:
        raise InputError(f"norm {chosen!r} was not measured in this study: {suggestion(chosen, measured)}")
    columns = {"run": "run", "train_size": "train_size", "seed": "seed", "step": "step"}
    columns |= {keys.log_norm(chosen): "log_norm"}
    further = {**RESPONSES, OPTIMA: OPTIMA}
    further |= {f"validation/{noun}": f"validation_{noun}" for noun in ("error", "loss")}
    columns |= {name: column for name, column in further.items() if name in curves.columns}
    measured_points = curves[list(columns)].dropna(subset=keys.log_norm(chosen))  # a norm may begin later
    return measured_points.rename(columns=columns), chosen
