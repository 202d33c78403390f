"""The optimum of a run: the one definition that reports, figures and MLflow's metrics share.

The vertex of a parabola through the bottom of the curve; where the study sets validation examples apart, of the
curve of their error, so that the place is chosen on examples that the error is not read on.

The least error on the test set is too low: it was picked on the very examples that it is measured on. Chosen on
validation examples, the optimum's norm is independent of the test examples' luck, and so is the error there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from normlaw_registry.curves.parabola import parabola_optima

VALIDATION = "validation_error"
TEST_SET, HELD_APART = "test set", "validation examples"
"""What an optimum can be chosen on; the test set is the paper's habit."""


def chosen_on(curves: pd.DataFrame) -> str:
    """Return what the optima of these curves are chosen on."""
    return HELD_APART if VALIDATION in curves.columns else TEST_SET


def run_optima(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the optimum of each run, chosen on the validation error where the curves have one.

    Args:
        curves: points as `prepare` returns them; with a column validation_error (fraction) the parabola of
            `parabola_optima` goes through that error, and log_error is the test error at its vertex, linear
            between the two points around it.

    Returns:
        The columns of `parabola_optima`.

    """
    if VALIDATION not in curves.columns:
        return parabola_optima(curves)
    error = curves[VALIDATION].to_numpy(dtype=np.float64)
    # zero has no logarithm; half of the least error that was seen stands for it
    seen = error > 0
    floor = np.log(error[seen].min()) - np.log(2.0) if seen.any() else 0.0
    optima = parabola_optima(curves.assign(log_error=np.log(error, out=np.full(len(error), floor), where=seen)))
    runs = dict(tuple(curves.groupby("run", sort=False)))
    at = [
        np.interp(norm, runs[run]["log_norm"], runs[run]["log_error"])
        for run, norm in zip(optima["run"], optima["log_norm"], strict=True)
    ]
    return optima.assign(log_error=at)
