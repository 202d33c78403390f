"""The laws of the perceptron, read off exact and measured curves in one way."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from normlaw.analysis.against_theory.optima import EXACT, Array, optimum_of
from normlaw_registry.curves.columns import floats

COLLAPSE_WINDOW = (0.3, 3.0)
EARLY_WINDOW = (8.0, 0.25)
"""Norms of the early law: from 8, where free and held norm agree, to a quarter of the optimum."""
FIRST_ALPHA = 8.0
"""Below this load the laws of the perceptron have not set in."""


def exponents_of(optima: pd.DataFrame, references: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Return gamma_1 at the largest load, gamma_2, and gamma of error/error_0, by setting.

    gamma_1 is a line for norms in EARLY_WINDOW, `steepest` the largest local slope from norm 1 on. error_0 is
    the error at small norm, Hebb's rule: relative to it, gamma = gamma_1 * gamma_2.
    """
    rows = []
    for setting, all_loads in optima.groupby("setting", sort=False):
        group = all_loads[all_loads["alpha"] >= FIRST_ALPHA].sort_values("alpha")
        if len(group) < 3:
            continue
        largest = group.iloc[-1]
        rows.append(
            {"setting": setting, "exponent": "steepest", "value": largest["steepest"], "stderr": np.nan}
        )
        here = points[points["alpha"] == largest["alpha"]].drop_duplicates("log_norm")
        errors = floats(here, "theory")
        if setting != EXACT:
            here = points[(points["alpha"] == largest["alpha"]) & (points["setting"] == setting)]
            errors = floats(here, "mean")
        x = floats(here, "log_norm")
        early = (x >= np.log(EARLY_WINDOW[0])) & (x <= largest["log_norm"] + np.log(EARLY_WINDOW[1]))
        if early.sum() >= 3:
            slope, stderr = line(x[early], np.log(errors[early]))
            rows.append({"setting": setting, "exponent": "gamma_1", "value": -slope, "stderr": stderr})
        lines = {"gamma_2": (floats(group, "log_norm"), 1.0)}
        if "hebb" in references.columns:
            start = references.set_index("alpha")["hebb"].reindex(group["alpha"]).to_numpy(dtype=np.float64)
            lines["gamma"] = (np.log(floats(group, "error") / start), -1.0)
        for name, (values, sign) in lines.items():
            slope, stderr = line(np.log(floats(group, "alpha")), values)
            rows.append({"setting": setting, "exponent": name, "value": sign * slope, "stderr": stderr})
    return pd.DataFrame(rows, columns=["setting", "exponent", "value", "stderr"])


def collapse_of(points: pd.DataFrame) -> pd.DataFrame:
    """Return the table `Comparison.collapse`; each curve is divided by its own optimum, spline for spline."""
    curves = {EXACT: points.drop_duplicates(["alpha", "log_norm"]).assign(mean=points["theory"])}
    curves |= {str(setting): rows for setting, rows in points.groupby("setting", sort=False)}
    window = np.linspace(np.log(COLLAPSE_WINDOW[0]), np.log(COLLAPSE_WINDOW[1]), 101)
    rows = []
    for setting, frame in curves.items():
        scaled = {}
        for alpha in sorted(set(floats(frame, "alpha"))):
            curve = frame[frame["alpha"] == alpha].dropna(subset=["mean"])
            x, y = floats(curve, "log_norm"), np.log(floats(curve, "mean"))
            best = optimum_of(curve.assign(test_error=curve["mean"]), alpha)
            places = best["log_norm"] + window
            if x[0] <= places[0] and places[-1] <= x[-1]:
                scaled[alpha] = np.exp(CubicSpline(x, y)(places)) / best["error"]
        for first in sorted(scaled)[:-1]:
            family = np.array([curve for alpha, curve in scaled.items() if alpha >= first])  # (loads, places)
            spread = (family.max(axis=0) - family.min(axis=0)) / family.mean(axis=0)
            rows.append({"setting": setting, "first_alpha": first, "spread": float(spread.max())})
    return pd.DataFrame(rows, columns=["setting", "first_alpha", "spread"])


def line(x: Array, y: Array) -> tuple[float, float]:
    """Return slope and standard error of the least-squares line."""
    from scipy.stats import linregress

    fit = linregress(x, y)
    return float(fit.slope), float(fit.stderr)
