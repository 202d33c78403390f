"""Figure: any observable of a theory against any of its axes or observables, one line a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from normlaw.analysis.figures import style
from normlaw.analysis.figures.scales import set_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing

MOST_NAMED = 14
"""Curves that the legend names; of more it names as many, evenly chosen."""
WIDE = 3.0
"""An axis whose positive numbers span more than this factor is logarithmic."""


def theory_curves(
    points: pd.DataFrame,
    x: str,
    y: str,
    held: Sequence[str],
    labels: Mapping[str, str],
    references: Mapping[str, pd.DataFrame],
    size: style.Size = style.PAGE,
) -> Drawing:
    """Return the figure; what is infinite, or has no place on a logarithmic axis, is left out.

    Args:
        points: columns `held`, `x` and `y`, in the order in which lines run.
        x: what is drawn along the horizontal axis.
        y: what is drawn upwards.
        held: the axes whose values tell one curve from another.
        labels: what the axes say of `x` and `y`.
        references: name -> columns `x` and `y`, drawn dashed.
        size: where it is printed.

    """
    groups = [(key, rows) for key, rows in points.groupby(list(held), sort=False)] if held else [((), points)]
    figure, axes = style.sized_figure(size, legend_rows=1 + (len(groups) + len(references)) // 4)
    looks = style.size_styles(range(len(groups)))
    everything = pd.concat([points[[x, y]], *(table[[x, y]] for table in references.values())])
    logarithmic = {name: is_wide(everything[name]) for name in (x, y)}
    named = set(np.linspace(0, len(groups) - 1, min(MOST_NAMED, len(groups))).round().astype(int).tolist())
    for place, (key, rows) in enumerate(groups):
        kept = shown(rows, x, y, logarithmic)
        told = ", ".join(f"{name} = {value:g}" for name, value in zip(held, key, strict=True)) or y
        figure.record(told, **{x: kept[x].to_numpy(), y: kept[y].to_numpy()})
        label = style.plain(told) if place in named and (held or references) else None
        axes.plot(kept[x], kept[y], color=looks[place][0], linewidth=1.4 * size.mark, label=label)
    _references(figure, axes, references, (x, y), logarithmic)
    for name, which in ((x, "x"), (y, "y")):
        if logarithmic[name]:
            set_log(axes, style.plain(labels[name]), which, most=size.labels)
        else:
            axes.set(**{f"{which}label": style.plain(labels[name])})
    if held or references:
        if size.column:
            figure.legend(fontsize="small", loc="outside lower center", ncols=2)
        else:
            figure.legend(fontsize="small", loc="outside right upper")
    return figure


def _references(
    figure: Drawing,
    axes: Axes,
    references: Mapping[str, pd.DataFrame],
    names: tuple[str, str],
    logarithmic: Mapping[str, bool],
) -> None:
    """Draw what the curves are to be compared with."""
    x, y = names
    looks = style.category_styles(list(references))
    for name, table in references.items():
        kept = shown(table, x, y, logarithmic)
        figure.record(name, **{x: kept[x].to_numpy(), y: kept[y].to_numpy()})
        colour = looks[name][0]
        axes.plot(kept[x], kept[y], "--", color=colour, linewidth=1.0, label=style.plain(name))


def is_wide(values: pd.Series) -> bool:
    """Return whether numbers belong on a logarithmic axis."""
    finite = values[np.isfinite(values.astype(float))]
    positive = finite[finite > 0]
    return len(positive) > 1 and not (finite < 0).any() and bool(positive.max() > WIDE * positive.min())


def shown(rows: pd.DataFrame, x: str, y: str, logarithmic: Mapping[str, bool]) -> pd.DataFrame:
    """Return the rows that have a place on the axes."""
    place = {name: rows[name].astype(float) for name in (x, y)}
    kept = np.logical_and.reduce(
        [(place[name] > (0.0 if logarithmic[name] else -inf)) & (place[name] < inf) for name in (x, y)]
    )
    return rows[kept]
