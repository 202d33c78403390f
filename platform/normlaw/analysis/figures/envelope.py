"""What a protocol says of the envelope: drawn over the mean curves, and its slope as a figure of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from normlaw.analysis.results import Analysis

LN10 = float(np.log(10.0))


def draw_model(axes: Axes, analysis: Analysis) -> None:
    """Draw, over curves of error against norm, the tables curves_fitted, envelope and departures, if given."""
    tables = analysis.findings.tables
    if "curves_fitted" in tables:
        for number, (_, curve) in enumerate(tables["curves_fitted"].groupby("train_size")):
            label = "fitted" if number == 0 else None
            x, y = floats(curve, "log_norm") / LN10, np.exp(floats(curve, "log_error"))
            axes.plot(x, y, color=style.QUIET, linestyle=":", linewidth=1.2, label=label, zorder=4)
    if "envelope" in tables:
        table = tables["envelope"]
        x = floats(table, "log_norm") / LN10
        y, low, high = (np.exp(floats(table, name)) for name in ("log_error", "low", "high"))
        axes.plot(x, y, color=style.ACCENT, linestyle="--", linewidth=2, label="envelope", zorder=4)
        axes.fill_between(x, low, high, color=style.ACCENT, alpha=0.18, linewidth=0)
        if "departures" in tables:
            draw_departures(axes, tables["departures"], table)


def draw_departures(axes: Axes, departures: pd.DataFrame, envelope: pd.DataFrame) -> None:
    """Mark where each train size leaves the envelope, with the confidence limits of the norm."""
    at = floats(departures, "log_norm")
    y = np.exp(np.interp(at, floats(envelope, "log_norm"), floats(envelope, "log_error")))
    reach = np.stack([at - floats(departures, "low"), floats(departures, "high") - at])  # (2, sizes)
    axes.errorbar(
        at / LN10,
        y,
        xerr=np.maximum(np.nan_to_num(reach), 0.0) / LN10,
        linestyle="none",
        marker="|",
        markersize=10,
        capsize=2,
        color=style.ACCENT,
        label="departure",
        zorder=5,
    )


def local_exponent(analysis: Analysis) -> Figure:
    """Return the envelope's local exponent against the norm, gamma_1 as a line."""
    figure, axes = style.new_figure()
    table = analysis.findings.tables["local_exponent"]
    x = floats(table, "log_norm") / LN10
    axes.plot(x, floats(table, "gamma_1"), color=style.INK, linewidth=1.5, label="−d ln ε / d ln λ")
    low, high = floats(table, "low"), floats(table, "high")
    label = f"{analysis.confidence:.0%} confidence"
    axes.fill_between(x, low, high, color=style.QUIET, alpha=0.25, linewidth=0, label=label)
    label = f"γ₁ = {analysis.gamma_1.value:.3f}"
    axes.axhline(analysis.gamma_1.value, color=style.ACCENT, linestyle="--", linewidth=1.5, label=label)
    style.set_log_norm_axis(axes)
    axes.set_ylabel("local exponent of the envelope")
    axes.legend(fontsize="small")
    return figure
