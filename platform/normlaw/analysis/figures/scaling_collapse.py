"""Figures: normalised curves of several sizes with Delta and sigma below them, and what hangs on the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.scales import set_log
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.scaling_collapse import ScalingCollapse

TALL = 1.35
"""Height of the figure of two panels, in those of a page."""


def scaling_collapse(found: ScalingCollapse, size: style.Size = style.PAGE) -> Drawing:
    """Return the normalised curves with bands, and below them the deviation and the noise floor with theirs."""
    from normlaw.analysis.figures.drawing import Drawing

    rows = 1 + len(found.sizes) // 4 if size.column else 0
    figure = Drawing(size.width, TALL * size.height + 1.9 * size.font / 72 * rows)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    for axes in (above, below):
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=size.font)
    _curves(figure, above, found, size)
    _functions(figure, below, found, size)
    begin = found.numbers["collapse_below_from"].value
    end = found.numbers["collapse_below_to"].value if "collapse_below_to" in found.numbers else 1.0
    if end > begin:
        for axes in (above, below):
            axes.axvspan(begin, end, color="#f0f0f0", zorder=0)
    if found.abscissa in ("norm", "departure"):
        set_log(below, _x_label(found), "x", most=size.labels)
    else:
        below.set_xlabel(_x_label(found))
    title = found.over.rpartition(".")[2].replace("_", " ")
    place: dict[str, Any] = {"loc": "outside right upper"}
    if size.column:
        place = {"loc": "outside lower center", "ncols": 4, "columnspacing": 1.0, "handletextpad": 0.5}
    figure.legend(
        *above.get_legend_handles_labels(),
        title=style.plain(title),
        fontsize="small",
        title_fontsize="small",
        **place,
    )
    return figure


def _curves(figure: Drawing, axes: Axes, found: ScalingCollapse, size: style.Size) -> None:
    """Draw the mean normalised curve of each size with its confidence band."""
    labels = [str(label) for label in found.sizes["label"]]
    styles = style.size_styles(range(len(labels)))
    for number, (value, label) in enumerate(zip(found.sizes["size"], labels, strict=True)):
        colour, marker = styles[number]
        curve = found.curves[found.curves["size"] == value]
        x, y, low, high = (floats(curve, name) for name in ("x", "normalised", "low", "high"))
        figure.record("normalised", size=value, x=x, y=y, low=low, high=high)
        axes.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
        axes.plot(
            x,
            y,
            color=colour,
            linewidth=size.mark,
            marker=marker,
            markevery=(2 * number % 16, 16),
            markersize=4 * size.mark,
            label=style.plain(label),
        )
    noun = style.symbol(found.response).removeprefix("Δ")
    set_log(
        axes, rf"normalised {found.response.noun.removeprefix('excess ')}, $\ell$ ({noun} over its value at 1)"
    )


def _functions(figure: Drawing, axes: Axes, found: ScalingCollapse, size: style.Size) -> None:
    """Draw Delta and sigma with their confidence bands."""
    x = floats(found.profile, "x")
    looks = {
        "deviation": ("Δ, deviation of the sizes", style.ACCENT, "-"),
        "noise_floor": ("σ, noise floor of the seeds", style.SECOND, "--"),
    }
    for name, (label, colour, line) in looks.items():
        y, low, high = (floats(found.profile, f"{name}{end}") for end in ("", "_low", "_high"))
        figure.record(name, x=x, y=y, low=low, high=high)
        seen = y > 0
        lowest = float(y[seen].min()) if seen.any() else 1.0
        axes.fill_between(x, np.maximum(low, lowest / 3), high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(x[seen], y[seen], line, color=colour, linewidth=1.6 * size.mark)
        axes.plot([], [], line, color=colour, linewidth=1.6 * size.mark, label=label)
    set_log(axes, "relative deviation")
    axes.legend(fontsize="small")


def collapse_floors(found: ScalingCollapse, size: style.Size = style.PAGE) -> Drawing:
    """Return the stretch of x in which Delta lies below sigma for each floor of the scan."""
    figure, axes = style.sized_figure(size)
    floor, begin = floats(found.scan, "collapse_floor"), floats(found.scan, "collapse_below_from")
    end = floats(found.scan, "collapse_below_to") if "collapse_below_to" in found.scan else np.ones(len(floor))
    figure.record("below the noise floor", floor=floor, begin=begin, end=end)
    axes.fill_between(floor, begin, end, color=style.SECOND, alpha=0.25, linewidth=0, label="Δ below σ")
    axes.plot(floor, begin, "-o", color=style.SECOND, markersize=3 * size.mark, linewidth=size.mark)
    if "collapse_below_to" in found.scan:
        axes.plot(floor, end, "-o", color=style.SECOND, markersize=3 * size.mark, linewidth=size.mark)
    chosen = found.numbers["collapse_floor"]
    axes.axvline(chosen.value, color=style.INK, linewidth=size.mark, label=f"L₀, {found.floor_source}")
    if chosen.high > chosen.low:
        axes.axvspan(
            chosen.low, chosen.high, color="#e8e8e8", zorder=0, label=f"{found.confidence:.0%} limits of L₀"
        )
    axes.set_xlabel(f"floor of the {found.response.plain}, L₀")
    if found.abscissa in ("norm", "departure"):
        set_log(axes, _x_label(found))
    else:
        axes.set_ylabel(_x_label(found))
        axes.set_ylim(0, 1)
    style.legend(figure, axes, size)
    return figure


def _x_label(found: ScalingCollapse) -> str:
    return f"x, {found.x_label}"
