"""Figures of arms: the error on each variable, shares explained, and dose and response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw.analysis.figures import style
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from normlaw.analysis.cause.result import Cause
    from normlaw.analysis.figures.drawing import Drawing

LOOKS = {"across": (style.ACCENT, ""), "within": (style.SECOND, "///")}
FLOOR = -0.25
"""Bars end here: how far below zero a share is says nothing more."""


def cause_curves(found: Cause, size: style.Size = style.PAGE) -> Drawing:
    """Return the error against each variable, a colour an arm: one curve where the error follows it."""
    from normlaw.analysis.figures.drawing import Drawing

    names = list(found.shares.loc[found.shares["comparison"] == "across", "variable"])
    rows = (len(names) + 1) // 2
    legend = 1.9 * size.font / 72 * (1 + found.points["arm"].nunique() // 3)
    figure = Drawing(size.width, 0.62 * size.height * rows + legend)
    panels = np.atleast_1d(figure.subplots(rows, 2, sharey=True)).ravel()
    looks = style.category_styles(list(dict.fromkeys(found.points["arm"])))
    mean = found.points.groupby(["arm", "train_size", "step"], sort=False)[["y", *names]].mean().reset_index()
    for axes, name in zip(panels, names, strict=False):
        axes.grid(visible=True, color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=size.font)
        for arm, (colour, marker) in looks.items():
            own = mean[mean["arm"] == arm]
            x, y = floats(own, name), floats(own, "y") / style.LN10
            figure.record(f"{name}, {arm}", x=x, log10_error=y, train_size=floats(own, "train_size"))
            axes.plot(
                x,
                y,
                marker,
                color=colour,
                markersize=3 * size.mark,
                alpha=0.7,
                linestyle="none",
                label=style.plain(arm),
            )
        axes.set_xlabel(f"ln {style.plain(name)}")
    for axes in panels[::2]:
        axes.set_ylabel(rf"$\log_{{10}}$ {found.response.noun}")
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize="small", loc="outside lower center", ncols=3 if size.column else 4)
    return figure


def cause_shares(found: Cause, size: style.Size = style.PAGE) -> Drawing:
    """Return a bar a variable and comparison, alone, with its confidence limits."""
    names = list(dict.fromkeys(found.shares["variable"]))
    figure, axes = style.new_figure(size.width, 1.6 + 4.2 * size.font / 72 * len(names))
    axes.tick_params(labelsize=size.font)
    places, lowest = np.arange(len(names)), 0.0
    for number, (comparison, (colour, hatch)) in enumerate(LOOKS.items()):
        own = found.shares[found.shares["comparison"] == comparison]
        value, low, high = (floats(own, f"alone{end}") for end in ("", "_low", "_high"))
        figure.record(comparison, variable=names, share=value, low=low, high=high)
        value, low, high = (np.maximum(numbers, FLOOR) for numbers in (value, low, high))
        at = places + 0.4 * (number - 0.5)
        look: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": style.INK, "linewidth": 0.6}
        axes.barh(at, value, 0.38, label=f"{comparison} arms", **look)
        reach = np.stack([np.maximum(value - low, 0), np.maximum(high - value, 0)])
        axes.errorbar(value, at, xerr=reach, linestyle="none", color=style.INK, capsize=3 * size.mark)
        lowest = min(lowest, float(low.min()))
    axes.set_yticks(places, [style.plain(name) for name in names])
    axes.invert_yaxis()
    axes.axvline(0, color=style.INK, linewidth=0.8)
    axes.set_xlim(lowest, 1.02)
    axes.set_xlabel(f"explained share,{chr(10) if size.column else ' '}one curve in this variable alone")
    place: dict[str, Any] = {"loc": "outside right upper"}
    if size.column:
        place = {"loc": "outside lower center", "ncols": 2}
    figure.legend(fontsize="small", **place)
    return figure


def cause_doses(found: Cause, size: style.Size = style.PAGE) -> Drawing:
    """Return the response of each arm against the dose of the norm, with confidence limits."""
    table = found.arms[found.arms["response"] == "mean"]
    figure, axes = style.sized_figure(size, legend_rows=len(table))
    looks = style.category_styles(list(table["arm"]))
    for row in table.to_dict("records"):
        colour, marker = looks[row["arm"]]
        dose, value = row[f"dose {found.norm}"], row["value"]
        figure.record(str(row["arm"]), dose=[dose], value=[value], low=[row["low"]], high=[row["high"]])
        axes.errorbar(
            [dose],
            [value],
            yerr=[[value - row["low"]], [row["high"] - value]],
            marker=marker,
            markersize=6 * size.mark,
            color=colour,
            capsize=3 * size.mark,
            linestyle="none",
            label=style.plain(row["arm"]),
        )
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.set_xlabel(f"dose: ln {style.plain(found.norm)} less the free run's")
    axes.set_ylabel(f"response: ln {found.response.noun} less the free run's")
    style.legend(figure, axes, size)
    return figure
