"""Figure: test error against norm, one curve a train size, with the window of the early law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.envelope import draw_model
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normlaw.analysis.results import Analysis

LN10 = float(np.log(10.0))


def error_against_norm(analysis: Analysis) -> Figure:
    """Return the mean curves in logarithms, optima marked, points of the early window filled."""
    figure, axes = style.new_figure(7.4)
    means = analysis.mean_curves
    optima = analysis.size_optima.set_index("train_size")
    log_optimum = dict(zip(optima.index, floats(optima, "log_norm"), strict=True))
    sizes = [int(size) for size in optima.index]
    styles = style.size_styles(sizes)
    window, first = analysis.findings.window, analysis.findings.first_train_size or 0
    low, high = window or (np.inf, np.inf)  # without a window, no mark is filled
    for size in sizes:
        colour, marker = styles[size]
        curve = means[means["train_size"] == size]
        curve = curve[curve["runs"] == curve["runs"].max()]  # with fewer runs, the mean jumps where one ends
        x, y = floats(curve, "log_norm") / LN10, curve["test_error"].to_numpy()
        relative = floats(curve, "log_norm") - float(log_optimum[size])
        inside = (relative >= low) & (relative <= high) & (size >= first)
        axes.plot(
            x,
            y,
            color=colour,
            linewidth=1.0,
            label=f"{size:,}",
            marker=marker,
            markersize=4,
            markerfacecolor="white",
        )
        axes.plot(x[inside], y[inside], color=colour, linestyle="none", marker=marker, markersize=4)
    axes.plot(
        optima["log_norm"] / LN10,
        np.exp(optima["log_error"]),
        linestyle="none",
        marker="+",
        markersize=10,
        color=style.INK,
        label="optimum",
        zorder=5,
    )
    draw_model(axes, analysis)
    style.set_log_norm_axis(axes)
    style.set_log_error_axis(axes)
    style.size_legend(figure)
    marked = "filled: window of the early law, " if window else ""
    axes.set_title(f"{marked}γ₁ = {analysis.gamma_1.value:.3f}", fontsize="medium")
    return figure
