"""Figure: the departure function, every curve divided by the envelope against the norm over its departure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.envelope import fitted_lines
from normlaw.analysis.figures.seeds import size_curves
from normlaw.analysis.figures.style import LN10
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from collections.abc import Callable

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis

TABLES = ("envelope", "departures")
SHIFT = "envelope_shift"
"""Optional column of `departures`, see `normlaw_registry.findings`."""


def departure(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return error / envelope against norm / departure norm, mean curves with bands and fitted curves.

    Where the envelope is not given, beyond its ends, nothing is drawn.
    """
    curves = size_curves(analysis.curves, analysis.mean_curves)
    figure, axes = style.sized_figure(size, legend_rows=1 + len(curves) // 4)
    tables = analysis.findings.tables
    envelope = envelope_at(analysis)
    starts = dict(
        zip(tables["departures"]["train_size"], floats(tables["departures"], "log_norm"), strict=True)
    )
    styles = style.size_styles(list(curves))
    fitted = fitted_lines(tables["curves_fitted"]) if "curves_fitted" in tables else {}
    for train_size, curve in curves.items():
        start = starts.get(train_size, np.nan)
        if not np.isfinite(start):
            continue
        colour, marker = styles[train_size]
        x, level = (curve.log_norm - start) / LN10, envelope(curve.log_norm, train_size)
        y, low, high = (np.exp(part - level) for part in (curve.log_error, curve.low, curve.high))
        figure.record("mean over runs", train_size=train_size, log10_norm=x, ratio=y, low=low, high=high)
        axes.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
        axes.plot(
            x,
            y,
            color=colour,
            linewidth=(0.5 if fitted else 1.0) * size.mark,
            marker=marker,
            markersize=3 * size.mark,
            markerfacecolor="white",
            markeredgewidth=0.7 * size.mark,
            label=f"{train_size:,}",
        )
    label: str | None = "fitted"
    for train_size, (at, log_error) in fitted.items():
        x = (at - starts.get(train_size, np.nan)) / LN10
        if not np.isfinite(x).any():
            continue
        y = np.exp(log_error - envelope(at, train_size))
        figure.record("fitted", train_size=train_size, log10_norm=x, ratio=y)
        line_colour = styles[train_size][0] if train_size in styles else style.QUIET
        axes.plot(x, y, color=line_colour, linewidth=1.5 * size.mark, label=label, zorder=3)
        label = None
    axes.axhline(1.0, color=style.ACCENT, linestyle="--", linewidth=1.6 * size.mark, label="envelope")
    axes.axvline(0.0, color=style.QUIET, linestyle=":", linewidth=1.0)
    style.set_log_norm_axis(axes, "norm over norm of departure, λ/Λ(P)", size)
    style.set_log_error_axis(axes, style.ratio_label(analysis.response, "envelope", "env"))
    style.size_legend(figure, size)
    return figure


def has_departures(analysis: Analysis) -> bool:
    """Return whether the protocol gives an envelope, and any curve leaves it."""
    tables = analysis.findings.tables
    if not all(name in tables for name in TABLES):
        return False
    return bool(np.isfinite(floats(tables["departures"], "log_norm")).any())


def envelope_at(analysis: Analysis) -> Callable[[np.ndarray, int], np.ndarray]:
    """Return the envelope's log_error as a function of log norms and a train size; NaN beyond its ends.

    Where the protocol says that train sizes have envelopes of their own, each is moved as it says.
    """
    table = analysis.findings.tables["envelope"].sort_values("log_norm")
    x, y = floats(table, "log_norm"), floats(table, "log_error")
    departures = analysis.findings.tables["departures"]
    shifts: dict[int, float] = {}
    if SHIFT in departures:
        shifts = dict(zip(departures["train_size"], floats(departures, SHIFT), strict=True))

    def envelope(at: np.ndarray, train_size: int) -> np.ndarray:
        level = np.interp(at, x, y, left=np.nan, right=np.nan)
        return np.asarray(level + shifts.get(train_size, 0.0))

    return envelope
