"""Figure: the singular values of every layer, at both ends of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.layer_norms import names
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.figures.drawing import Drawing


def singular_values(table: pd.DataFrame) -> Drawing:
    """Return one panel a layer: its singular values against their number, a line a measuring point.

    Args:
        table: columns step, layer, number (from 1, the largest first) and value, of one measure; its first and
            last step are drawn.

    Raises:
        ValueError: there is no row.

    """
    if not len(table):
        raise ValueError("no singular values in the table")
    layers = list(dict.fromkeys(table["layer"]))
    columns = min(len(layers), 3)
    rows = -(-len(layers) // columns)
    figure, first = style.new_figure(width=1.0 + 2.4 * columns, height=0.8 + 2.0 * rows)
    first.remove()
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    steps = sorted({int(table["step"].min()), int(table["step"].max())})
    looks = style.size_styles(steps)
    for axes, layer, title in zip(panels, layers, names(layers), strict=False):
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
        for step in steps:
            own = table[(table["layer"] == layer) & (table["step"] == step)]
            number, value = floats(own, "number"), floats(own, "value")
            seen = np.where(value > 0, value, np.nan)  # a logarithmic axis has no zero
            figure.record(title, step=step, number=number, value=value)
            colour, marker = looks[step]
            axes.plot(number, seen, color=colour, marker=marker, markersize=3, label=f"{step:,}")
        axes.set_yscale("log")
        axes.set_title(style.plain(title), fontsize="medium")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("number")
    for axes in panels[len(layers) :]:
        axes.remove()
    panels[0].set_ylabel("singular value")
    panels[0].legend(title="step", fontsize="small", title_fontsize="small")
    return figure
