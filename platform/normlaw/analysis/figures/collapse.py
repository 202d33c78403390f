"""Figure: every mean curve divided by its optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.style import LN10
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis


def collapse(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return error / least error against norm / optimal norm, with the early law through the window."""
    figure, axes = style.sized_figure(size, legend_rows=1 + len(analysis.size_optima) // 4)
    findings = analysis.findings
    optima = analysis.size_optima.set_index("train_size")
    pairs = zip(floats(optima, "log_norm"), floats(optima, "log_error"), strict=True)
    at = dict(zip(optima.index, pairs, strict=True))
    sizes = [int(size) for size in optima.index]
    styles = style.size_styles(sizes)
    means = analysis.mean_curves
    # Without a window, the law is drawn among the points before the optimum.
    low, high = findings.window or (-np.inf, 0.0)
    in_window_x, in_window_y = [], []
    for train_size in sizes:
        colour, marker = styles[train_size]
        curve = means[means["train_size"] == train_size]
        curve = curve[curve["runs"] == curve["runs"].max()]  # it jumps where a run ends
        x = floats(curve, "log_norm") - at[train_size][0]
        y = floats(curve, "log_error") - at[train_size][1]
        figure.record("mean over runs", train_size=train_size, log10_norm=x / LN10, ratio=np.exp(y))
        axes.plot(
            x / LN10,
            np.exp(y),
            color=colour,
            linewidth=size.mark,
            marker=marker,
            markersize=3 * size.mark,
            label=f"{train_size:,}",
        )
        inside = (x >= low) & (x <= high)
        in_window_x.append(x[inside])
        in_window_y.append(y[inside])
    x, y = np.concatenate(in_window_x), np.concatenate(in_window_y)
    if len(x) and np.isfinite(analysis.gamma_1.value):
        # The law is that of the window's early part: towards the optimum the curves may bend away from it.
        half = x <= (x.min() + x.max()) / 2
        centre, level = x[half].mean(), y[half].mean()
        ends = np.array([x[half].min(), x[half].max()])
        if analysis.gamma_1.value != 0:  # no farther than the curves reach up and down
            reach = np.sort(centre + (level - np.array([y.max(), y.min()])) / analysis.gamma_1.value)
            ends = np.clip(ends, *reach)
        law = np.exp(level - analysis.gamma_1.value * (ends - centre))
        figure.record("early law", log10_norm=ends / LN10, ratio=law)
        label = f"slope −γ₁ = −{analysis.gamma_1.value:.3f}"
        axes.plot(
            ends / LN10, law, color=style.INK, linestyle="--", linewidth=2.0 * size.mark, label=label, zorder=5
        )
    quality = analysis.extras.get("collapse")
    if quality:
        apart = ",\n" if size.column else ", "
        floor = "" if quality["ratio"] is None else f"{apart}{quality['ratio']:.1f} times the scatter of seeds"
        axes.set_title(f"spread between train sizes {quality['spread']:.1%}{floor}", fontsize="medium")
        figure.common = (quality["overlap"][0] / LN10, quality["overlap"][1] / LN10)
        axes.axvspan(*figure.common, color=style.PALE, zorder=0)
    style.set_log_norm_axis(axes, style.RELATIVE_NORM_LABEL, size)
    style.set_log_error_axis(
        axes, style.ratio_label(analysis.response, analysis.response.told("least error"), "opt")
    )
    style.size_legend(figure, size)
    return figure
