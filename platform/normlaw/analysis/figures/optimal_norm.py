"""Figure: the optimal norm against the train size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.scales import set_log_norm
from normlaw.analysis.figures.style import LN10
from normlaw.analysis.figures.view import view
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis


LEAST_ROOM = 0.3
"""For limits beyond the marks, in decades."""


def optimal_norm(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return the optima of runs and of train sizes, and the line of slope gamma_2.

    It goes through the norms of departure where the protocol finds gamma_2 from them.
    """
    figure, axes = style.sized_figure(size, legend_rows=4)
    runs, sizes = analysis.optima, analysis.size_optima
    for bracketed, marker, label in (
        (True, "o", "run"),
        (False, "^", f"run, least {analysis.response.noun} at one end"),
    ):
        some = runs[runs["bracketed"] == bracketed]
        if len(some):
            log10_norm = floats(some, "log_norm") / LN10
            figure.record(label, train_size=some["train_size"].to_numpy(), log10_norm=log10_norm)
            axes.plot(
                some["train_size"],
                log10_norm,
                linestyle="none",
                marker=marker,
                markersize=4 * size.mark,
                markerfacecolor="none",
                color=style.QUIET,
                label=label,
            )
    x, mean = np.log(floats(sizes, "train_size")), floats(sizes, "log_norm") / LN10
    reach = np.nan_to_num(floats(sizes, "log_norm_stderr")) / LN10
    figure.record("mean over runs", train_size=np.exp(x), log10_norm=mean, low=mean - reach, high=mean + reach)
    if len(runs) > len(sizes):  # else each is the run that is drawn already
        axes.errorbar(
            np.exp(x),
            mean,
            yerr=reach,
            linestyle="none",
            marker="s",
            markersize=5 * size.mark,
            capsize=3 * size.mark,
            color=style.INK,
            label="mean over runs ± standard error",
        )
    at, through = x, mean
    if (departures := analysis.findings.tables.get("departures")) is not None:
        at, through = draw_departures(figure, axes, departures, size)
    known = np.isfinite(through)
    if known.any() and np.isfinite(analysis.gamma_2.value):
        line = through[known].mean() + analysis.gamma_2.value * (x - at[known].mean()) / LN10
        figure.record("law of gamma_2", train_size=np.exp(x), log10_norm=line)
        label = f"slope γ₂ = {analysis.gamma_2.value:.3f} ± {analysis.gamma_2.stderr:.3f}"
        axes.plot(np.exp(x), line, color=style.ACCENT, linestyle="--", linewidth=2 * size.mark, label=label)
    marks = np.r_[floats(runs, "log_norm") / LN10, mean, through]
    axes.set_ylim(*view(marks, axes.get_ylim(), LEAST_ROOM))
    style.set_train_size_axis(axes, analysis.unit, size)
    named = r"optimal norm $λ_\mathrm{opt}$"
    set_log_norm(axes, named if through is mean else f"{named}, departure Λ", "y")
    style.legend(figure, axes, size)
    return figure


def draw_departures(
    figure: Drawing, axes: Axes, table: pd.DataFrame, size: style.Size
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the norms of departure with their limits; return ln P and log10 of the norms, (sizes,) each."""
    train_size = floats(table, "train_size")
    y, low, high = (floats(table, name) / LN10 for name in ("log_norm", "low", "high"))
    if not np.isfinite(y).any():
        return np.log(train_size), y
    figure.record("departure", train_size=train_size, log10_norm=y, low=low, high=high)
    axes.errorbar(
        train_size,
        y,
        yerr=np.maximum(np.nan_to_num(np.stack([y - low, high - y])), 0.0),
        linestyle="none",
        marker="D",
        markersize=4.5 * size.mark,
        markerfacecolor="white",
        capsize=2.5 * size.mark,
        color=style.ACCENT,
        label="departure from the envelope",
        zorder=4,
    )
    return np.log(train_size), y
