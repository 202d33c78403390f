"""Figure: what each layer contributes to a measure, at the measuring points of a table of layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from normlaw.analysis.figures import style
from normlaw.analysis.figures.scales import set_log

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing

LABELS = {
    "operator_norm": "operator norm",
    "kernel_norm": "norm of the kernel as a matrix",
    "group_norm_2_1": "(2,1) norm",
    "frobenius_norm": "Frobenius norm",
    "l1_norm": "L1 norm",
    "distance": "distance from initialisation",
}
COLUMNS = ("step", "measure", "layer", "depth")


def names(layers: Sequence[str]) -> list[str]:
    """Return what layers are called, first one first: a module that has no name but its number gets its place.

    >>> names(["1", "features.0", "3"]), names(["stem", "fc"])
    (['first layer (1)', 'features.0', 'last layer (3)'], ['stem', 'fc'])

    """
    last = len(layers) - 1
    places = {i: f"layer {i + 1}" for i in range(len(layers))} | {last: "last layer"} | {0: "first layer"}
    return [f"{places[i]} ({name})" if name.isdigit() else name for i, name in enumerate(layers)]


def layer_norms(rows: Iterable[Mapping[str, Any]] | pd.DataFrame, measure: str) -> Drawing:
    """Return one panel for each quantity of a measure: its value in each layer, one line a measuring point.

    Args:
        rows: with the columns `step`, `measure`, `layer`, `depth` and one for each quantity.
        measure: which measure's rows to draw.

    Raises:
        ValueError: there is no row of this measure.

    """
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    mine = table[table["measure"] == measure].dropna(axis="columns", how="all") if len(table) else table
    if not len(mine):
        raise ValueError(f"no layers of measure {measure!r} in the table")
    quantities = [column for column in mine.columns if column not in COLUMNS]
    layers = mine.sort_values("depth")["layer"].unique().tolist()
    figure, first = style.new_figure(width=3.2 + 3.2 * len(quantities), height=1.6 + 0.2 * len(layers))
    first.remove()
    panels = figure.subplots(1, len(quantities), sharey=True, squeeze=False)[0]
    steps = sorted(mine["step"].unique())
    looks = style.size_styles(steps)
    for axes, quantity in zip(panels, quantities, strict=True):
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
        for step in steps:
            points = mine[mine["step"] == step].sort_values("depth")
            colour, marker = looks[step]
            columns = {"step": step, "layer": points["layer"].to_numpy(), "depth": points["depth"].to_numpy()}
            figure.record(quantity, **columns, value=points[quantity].to_numpy())
            axes.plot(points[quantity], points["depth"], color=colour, marker=marker, label=f"{step:,}")
        set_log(axes, LABELS.get(quantity, style.plain(quantity)), "x")
    panels[0].set_yticks(range(len(layers)), [style.plain(name) for name in names(layers)])
    panels[0].invert_yaxis()
    panels[-1].legend(title="step", fontsize="small", title_fontsize="small")
    figure.suptitle(measure)
    return figure
