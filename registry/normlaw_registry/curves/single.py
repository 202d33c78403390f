"""The optimum of a single run, from its raw points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from normlaw_registry.curves.least import least_points
from normlaw_registry.curves.optimum import VALIDATION, run_optima

FEWEST = 4
"""Distinct norms below which no analysis takes a run; its least point stands for the optimum then."""


@dataclass(frozen=True)
class Optimum:
    """Where a run's error is least, by the definition of `run_optima`."""

    log_norm: float
    log_error: float
    """ln of the test error there, a fraction."""
    bracketed: bool
    """Whether the run has points on both sides; else its norm is a bound, not a measurement."""


def run_optimum(
    log_norms: Sequence[float], test_errors: Sequence[float], validation_errors: Sequence[float] | None = None
) -> Optimum | None:
    """Return the optimum of one run; None where no point has a norm and a logarithm.

    It is what `run_optima` finds for curves of this run alone. In a study, the scatter of all runs together
    says how deep the bottom of a curve is, which may move the optimum of a noisy run within its uncertainty.

    Args:
        log_norms: natural logs, (n,); points that are not finite are left out.
        test_errors: fractions, (n,); points of error zero, which has no logarithm, are left out.
        validation_errors: fractions, (n,), at every point; the place of the optimum is chosen on them.

    """
    curve = pd.DataFrame({"run": "", "train_size": 1, "log_norm": log_norms, "test_error": test_errors})
    if validation_errors is not None:
        curve[VALIDATION] = validation_errors
    finite = np.isfinite(curve["log_norm"]) & np.isfinite(curve["test_error"])
    curve = curve[finite & (curve["test_error"] > 0)].sort_values("log_norm", kind="stable")
    if curve.empty:
        return None
    curve = curve.assign(log_error=np.log(curve["test_error"])).reset_index(drop=True)
    few = curve["log_norm"].nunique() < FEWEST
    found = (least_points(curve) if few else run_optima(curve)).iloc[0]
    return Optimum(float(found["log_norm"]), float(found["log_error"]), bool(found["bracketed"]))
