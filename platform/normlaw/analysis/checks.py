"""Coded warnings about what a result rests on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from normlaw.analysis.figures.style import LN10
from normlaw.analysis.results import given
from normlaw_registry import AnalysisWarning, Findings
from normlaw_registry.curves import early_points, falling_runs


def check_findings(curves: pd.DataFrame, findings: Findings) -> tuple[AnalysisWarning, ...]:
    """Return a warning for each way in which the data carry the result poorly.

    Codes: `narrow_window` (the early fit spans less than half a decade of norm), `few_train_sizes` (fewer
    than four), `window_far_from_optimum` (it ends more than a decade before the optimum),
    `optimum_not_bracketed` (curves that end at their least error), `norm_falls` (while a network trains).
    """
    found: list[AnalysisWarning] = []
    optima, per_size = given(findings.optima), given(findings.size_optima)
    first = 0 if findings.first_train_size is None else findings.first_train_size
    found += check_window(curves, per_size, findings.window, first)
    sizes = int((per_size["train_size"] >= first).sum())
    if sizes < 4:
        found.append(
            AnalysisWarning(
                code="few_train_sizes", message=f"the early law rests on {sizes} train sizes, fewer than 4"
            )
        )
    elif len(per_size) < 4:
        found.append(
            AnalysisWarning(
                code="few_train_sizes",
                message=f"the laws rest on {len(per_size)} train sizes, fewer than 4",
            )
        )
    found += check_ends(curves, optima)
    found += check_growth(curves)
    return tuple(found)


def check_growth(curves: pd.DataFrame) -> list[AnalysisWarning]:
    """Return the warning about norms that fall during training; none where they grow, or no steps are known."""
    falling = len(falling_runs(curves))
    if not falling:
        return []
    return [
        AnalysisWarning(
            code="norm_falls",
            message=f"in {falling} of {curves['run'].nunique()} curves the norm is smaller where training "
            "ended than where it began; the laws are about a norm that grows: take another one, or less weight "
            "decay",
        )
    ]


def check_ends(curves: pd.DataFrame, optima: pd.DataFrame) -> list[AnalysisWarning]:
    """Return the warning about curves with their least error at one end; none where there are none.

    The end is that of training where the point of least error is the run's last step; without steps all that is
    said is whether it has the largest norm or the least.
    """
    ends = optima[~optima["bracketed"].to_numpy(dtype=bool)]
    if ends.empty:
        return []
    stepped = "step" in curves.columns and bool(curves["step"].notna().all())
    clock = "step" if stepped else "log_norm"
    last = curves.loc[curves.groupby("run")[clock].idxmax()].set_index("run")["log_norm"]
    late = int(np.isclose(last.reindex(ends["run"]), ends["log_norm"], rtol=0, atol=1e-9).sum())
    early = len(ends) - late
    names = ("where training ended", "where training began")
    if not stepped:
        names = ("at the largest norm", "at the least norm")
    places = [
        f"{count} {place}" for count, place in ((late, f"{names[0]}: train longer"), (early, names[1])) if count
    ]
    return [
        AnalysisWarning(
            code="optimum_not_bracketed",
            message=f"of {len(optima)} curves, {len(ends)} have their least error at one end ("
            f"{'; '.join(places)}): their optimal norm is a bound, not a measurement, and their least error is "
            "that reached",
        )
    ]


def check_window(
    curves: pd.DataFrame, per_size: pd.DataFrame, window: tuple[float, float] | None, first: int
) -> list[AnalysisWarning]:
    """Return the warnings about the early window; none where the protocol has no window."""
    if window is None:
        return []
    found: list[AnalysisWarning] = []
    low, high = effective_window(curves, per_size, window, first)
    if high - low < LN10 / 2:
        found.append(
            AnalysisWarning(
                code="narrow_window",
                message=f"the early law rests on {(high - low) / LN10:.2f} decades of norm, less than half",
            )
        )
    if high < -LN10:
        found.append(
            AnalysisWarning(
                code="window_far_from_optimum",
                message=f"the early window ends {-high / LN10:.1f} decades of norm before the optimum",
            )
        )
    return found


def effective_window(
    curves: pd.DataFrame, per_size: pd.DataFrame, window: tuple[float, float], first: int
) -> tuple[float, float]:
    """Return the part of the early window that holds points, in ln(lambda/lambda_opt)."""
    used = early_points(curves, per_size, window, first)
    if used.empty:
        return window
    inside = used["log_norm"] - used["train_size"].map(per_size.set_index("train_size")["log_norm"])
    return float(inside.min()), float(inside.max())
