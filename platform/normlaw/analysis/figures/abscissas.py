"""Figure: how much of what tells runs apart each abscissa explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw.analysis.figures import style
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis

LOOKS = {"norm": (style.ACCENT, ""), "time": (style.SECOND, "///"), "loss": ("#c9c9c9", "...")}
"""Colour and hatch of each kind."""
FLOOR = -0.25
"""Bars end here: how far below zero an abscissa is says nothing more."""


def abscissas(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return a bar an abscissa, best above, with its confidence limits."""
    table = analysis.added_tables["abscissas"]
    # a line of text an abscissa, and two inches for the axis and, in a column, the legend below
    figure, axes = style.new_figure(size.width, 1.6 + 2.6 * size.font / 72 * len(table))
    axes.tick_params(labelsize=size.font)
    value, low, high = (floats(table, name) for name in ("explained", "low", "high"))
    figure.record("explained", abscissa=list(table["abscissa"]), share=value, low=low, high=high)
    value, low, high = (np.maximum(numbers, FLOOR) for numbers in (value, low, high))
    places = np.arange(len(table))
    for kind, (colour, hatch) in LOOKS.items():
        own = np.flatnonzero(table["kind"] == kind)
        if len(own):
            look: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": style.INK, "linewidth": 0.6}
            axes.barh(places[own], value[own], label=kind, **look)
    reach = np.stack([np.maximum(value - low, 0), np.maximum(high - value, 0)])  # (2, abscissas)
    axes.errorbar(value, places, xerr=reach, linestyle="none", color=style.INK, capsize=3 * size.mark)
    axes.set_yticks(places, [style.plain(name) for name in table["abscissa"]])
    axes.invert_yaxis()
    axes.axvline(0, color=style.INK, linewidth=0.8)
    axes.set_xlim(min(0.0, float(low.min())), 1.0)
    # names of abscissas leave little room in a column
    axes.set_xlabel(f"explained share of{chr(10) if size.column else ' '}the variance between runs")
    place: dict[str, Any] = {"loc": "outside right upper"}
    if size.column:
        place = {"loc": "outside lower center", "ncols": 3}
    figure.legend(fontsize="small", **place)
    return figure
