"""Figure: gamma_2 of every layer's norm at the optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis


def layer_growth(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return a mark a norm with its confidence limits, whole networks above, each measure's layers in order."""
    found = analysis.layer_growth
    assert found is not None, "drawn only where layers were measured"
    table = found.rows
    table = table[np.isfinite(floats(table, "gamma_2"))]
    figure, axes = style.new_figure(size.width, 1.3 + 2.2 * size.font / 72 * len(table))
    axes.tick_params(labelsize=size.font)
    places = np.arange(len(table))
    value, low, high = (floats(table, name) for name in ("gamma_2", "low", "high"))
    figure.record("gamma_2", norm=list(table["norm"]), gamma_2=value, low=low, high=high)
    reach = np.nan_to_num(np.stack([np.maximum(value - low, 0), np.maximum(high - value, 0)]))  # (2, norms)
    of_layers = (table["layer"] != "").to_numpy()
    for own, colour, marker, label in (
        (~of_layers, style.ACCENT, "s", "whole network or last layer"),
        (of_layers, style.SECOND, "o", "one layer"),
    ):
        axes.errorbar(
            value[own],
            places[own],
            xerr=reach[:, own],
            linestyle="none",
            marker=marker,
            markersize=5 * size.mark,
            capsize=3 * size.mark,
            color=colour,
            label=label,
        )
    axes.axvline(0, color=style.INK, linewidth=0.8)
    axes.set_yticks(places, [style.plain(name) for name in table["norm"]])
    axes.invert_yaxis()
    axes.set_xlabel("exponent γ₂ of the norm at the optimum")
    figure.legend(fontsize="small", loc="outside lower center", ncols=1 if size.column else 2)
    return figure
