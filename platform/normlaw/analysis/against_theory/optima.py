"""Where a curve is lowest, and how steep it is before: by a spline, on exact and on trained curves alike.

Reports of laws take the vertex of a parabola that is wide enough for the noise of test errors
(`normlaw_registry.curves.run_optima`). Here there is no such noise: the error is a function of the overlap with
the teacher, in theory and in a trained run. A parabola over the lopsided bottom of such a curve, at 5 to 8
points a decade, is off by 0.08 to 0.14 in ln norm, a spline by 0.001; and where two curves are compared, both
must be read in the same way.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from normlaw_registry.curves.columns import floats

Array = NDArray[np.float64]

EXACT = "theory"
"""What the theory is called in the column `setting`."""


def standard_error(values: Array) -> Array:
    """Return the standard error of the mean over the first axis; NaN for a single row."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))


def optimum_of(curve: pd.DataFrame, alpha: float) -> dict[str, float]:
    """Return the optimum of one curve, by a cubic spline through its logarithms."""
    x, y = floats(curve, "log_norm"), np.log(floats(curve, "test_error"))
    spline = CubicSpline(x, y)
    turns = [float(root) for root in spline.derivative().roots(extrapolate=False)] + [float(x[0]), float(x[-1])]
    best = min(turns, key=lambda place: float(spline(place)))
    early = np.linspace(0.0, best, 500) if x[0] <= 0.0 < best else np.array([])
    return {
        "alpha": alpha,
        "log_norm": best,
        "log_norm_stderr": 0.0,
        "error": float(np.exp(spline(best))),
        "error_stderr": 0.0,
        "steepest": float(-spline.derivative()(early).min()) if early.size else float("nan"),
    }


def measured_optimum(runs: pd.DataFrame, mean: pd.DataFrame, alpha: float) -> dict[str, float]:
    """Return the mean optimum of the runs of a size; the steepest slope is that of their mean curve.

    The mean over runs of each one's steepest slope would be too large, as it picks out fluctuations.
    """
    optima = [optimum_of(run.sort_values("log_norm"), alpha) for _, run in runs.groupby("run")]
    values = np.array([[found["log_norm"], found["error"]] for found in optima])
    (norm, error), (norm_stderr, error_stderr) = values.mean(axis=0), standard_error(values)
    whole = mean.dropna(subset=["mean"]).rename(columns={"mean": "test_error"})
    return {
        "alpha": alpha,
        "log_norm": float(norm),
        "log_norm_stderr": float(norm_stderr),
        "error": float(error),
        "error_stderr": float(error_stderr),
        "steepest": optimum_of(whole, alpha)["steepest"],
    }
