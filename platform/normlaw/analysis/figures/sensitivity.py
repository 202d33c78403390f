"""Figure: gamma_1 and gamma_pred over all admissible windows, first train sizes and shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.scales import set_decimal
from normlaw.analysis.figures.style import LN10
from normlaw_registry.curves import weight_range
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis
DRAWN = 600
"""Choices drawn at most, the heaviest first: more would hide each other."""
WIDEST, WIDTHS = 14.0, 16
"""Points across the mark of the heaviest choice, and how many widths there are: were each mark as wide as its
weight says, an SVG would hold the outline of each, and a report three times as much."""
LABELS = {"gamma_1": "γ₁", "gamma_pred": r"$γ_\mathrm{pred}$ = γ₁γ₂"}


def sensitivity(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return the specification curves of both exponents above the map of gamma_1 over windows."""
    from normlaw.analysis.figures.drawing import Drawing

    panels: list[Any] = [["gamma_1", "gamma_pred"], ["map", "map"]]
    figure = Drawing(size.width, 0.8 * size.width)
    if size.column:
        panels, figure = [["gamma_1"], ["gamma_pred"], ["map"]], Drawing(size.width, 2.2 * size.width)
    top = figure.subplot_mosaic(panels)
    table = analysis.findings.tables["sensitivity"]
    for name in ("gamma_1", "gamma_pred"):
        specification_curve(figure, top[name], table, name, analysis)
    window_map(figure, top["map"], table)
    return figure


def specification_curve(
    figure: Drawing, axes: Axes, table: pd.DataFrame, name: str, analysis: Analysis
) -> None:
    """Draw one exponent for every choice, sorted; the area of a mark is the weight of its choice."""
    known = table[np.isfinite(floats(table, name))].head(DRAWN).sort_values(name)
    value, weight = floats(known, name), floats(known, "weight")
    rank = np.arange(len(value))
    low, high = weight_range(table, name)
    estimate = analysis.estimates()[name]
    figure.record(name, rank=rank, exponent=value, weight=weight)
    axes.axhspan(low, high, color=style.ACCENT, alpha=0.2, linewidth=0, label="90 % of the weight")
    axes.axhline(estimate.value, color=style.ACCENT, linestyle="--", linewidth=1.5, label="average")
    axes.plot(rank, value, color=style.QUIET, linewidth=1.0)
    step = np.ceil(WIDTHS * np.sqrt(weight / max(weight.max(), 1e-300)))
    for width in np.unique(step):
        rows = step == width
        mark = {"marker": "o", "markersize": WIDEST * width / WIDTHS, "markeredgewidth": 0}
        axes.plot(rank[rows], value[rows], linestyle="", color=style.INK, zorder=3, **mark)
    spread = np.quantile(value, [0.02, 0.98])
    room = 0.25 * max(float(spread[1] - spread[0]), 4 * estimate.stderr, 1e-12)
    axes.set_ylim(min(spread[0], low) - room, max(spread[1], high) + room)
    axes.set_xlabel("choice of window, first size, shape")
    axes.set_ylabel(LABELS[name])
    axes.grid(visible=True, axis="y", color="#dddddd", linewidth=0.6)
    axes.legend(fontsize="small")


def window_map(figure: Drawing, axes: Axes, table: pd.DataFrame) -> None:
    """Draw gamma_1 over the two edges of the window, averaged over first sizes and shapes by weight."""
    share = table["weight"] + 1e-12 * table["weight"].max()
    groups = table.assign(share=share, product=share * table["gamma_1"]).groupby(["low", "high"])
    cells = groups[["share", "product", "weight"]].sum().reset_index()
    value = floats(cells, "product") / floats(cells, "share")
    low, high = floats(cells, "low") / LN10, floats(cells, "high") / LN10
    lows, highs = np.unique(low), np.unique(high)
    figure.record("map", window_low=low, window_high=high, exponent=value, weight=cells["weight"].to_numpy())
    image = np.full((len(highs), len(lows)), np.nan)
    image[np.searchsorted(highs, high), np.searchsorted(lows, low)] = value
    limits = np.nanquantile(image, [0.05, 0.95])
    mesh = axes.pcolormesh(
        lows, highs, image, cmap="cividis", vmin=limits[0], vmax=limits[1], shading="nearest", rasterized=True
    )
    area = 260 * floats(cells, "weight") / max(float(cells["weight"].max()), 1e-300)
    for colour, width in (("white", 2.5), ("black", 1.0)):
        axes.scatter(low, high, s=area, facecolor="none", edgecolor=colour, linewidth=width)
    axes.set_xlabel(r"left edge of the window, $λ/λ_\mathrm{opt}$")
    axes.set_ylabel(r"right edge, $λ/λ_\mathrm{opt}$")
    set_decimal(axes.xaxis, of_logs=True)
    set_decimal(axes.yaxis, of_logs=True)
    axes.set_title("area of a circle: weight of the window", fontsize="medium")
    figure.colorbar(mesh, ax=axes, label="γ₁", extend="both")
