"""Figures of trained runs on exact lines: points are means over seeds with their standard errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from normlaw.analysis.figures import style
from normlaw.analysis.figures.scales import set_log
from normlaw.analysis.on_theory.agreement import Agreement
from normlaw.study.names import path_part
from normlaw_registry import InputError, Theory, validate_params

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing

LINE_POINTS = 24
"""Of an exact line between runs that do not move along it: each may take a second."""
ALONG = ("load", "examples", "width")
"""Roles of the axes that runs which move along none are drawn against."""
DASHES = ("--", ":", "-.")
"""Of the lines that trained runs are compared with, in turn."""


def figures(agreement: Agreement) -> dict[str, Drawing]:
    """Return every figure by name: each observable against the axis moved along, and against the norm."""
    drawn = {}
    for setting, points in agreement.points.groupby("setting", sort=False):
        suffix = f"_{path_part(str(setting))}" if setting else ""
        observed = list(dict.fromkeys(points["observable"]))
        moving = points[points["axis"] != ""]
        if len(moving):
            axis = str(moving["axis"].iloc[0])
            pairs = [(axis, name) for name in observed]
            pairs += [("norm", name) for name in observed if name != "norm" and "norm" in observed]
            for x, y in pairs:
                drawn[f"{y}_against_{x}{suffix}"] = _moving(agreement, moving, x, y)
    still = agreement.points[agreement.points["axis"] == ""]
    if len(still) and (along := _along(agreement.theory)) is not None:
        for y in dict.fromkeys(still["observable"]):
            drawn[f"{y}_against_{along}"] = _still(agreement, still[still["observable"] == y], along, y)
    return drawn


def _moving(agreement: Agreement, points: pd.DataFrame, x: str, y: str) -> Drawing:
    """Return the figure of curves along which runs move; between the exact points lines are straight."""
    figure, axes = style.new_figure()
    groups = list(points.groupby("place", sort=False))
    looks = style.size_styles(range(len(groups)))
    for number, (place, found) in enumerate(groups):
        upwards = found[found["observable"] == y].set_index("at").sort_index()
        across = found[found["observable"] == x].set_index("at").sort_index() if x == "norm" else None
        exact = upwards["theory"]
        xs = exact.index.to_numpy() if across is None else across["theory"].reindex(exact.index).to_numpy()
        means = xs if across is None else across["mean"].reindex(exact.index).to_numpy()
        widths = None if across is None else across["stderr"].reindex(exact.index).to_numpy()
        label = str(place) or "trained"
        figure.record(f"{label}, exact", **{x: xs, y: exact.to_numpy()})
        figure.record(f"{label}, trained", **{x: means, y: upwards["mean"].to_numpy()})
        axes.plot(xs, exact, color=looks[number][0], linewidth=1.0)
        _points(axes, (means, widths), (upwards["mean"], upwards["stderr"]), looks[number], label)
    at = {} if x == "norm" else {x: points["at"]}
    _limits(agreement, axes, y, at, points)
    return _finished(agreement, figure, axes, x, y, (x, y))


def _still(agreement: Agreement, points: pd.DataFrame, x: str, y: str) -> Drawing:
    """Return the figure of runs whose end is known, against an axis: a line for each value of the others."""
    figure, axes = style.new_figure()
    held = [axis.name for axis in agreement.theory.axes if axis.name != x and points[axis.name].nunique() > 1]
    groups = list(points.groupby(held, sort=True)) if held else [((), points)]
    looks = style.size_styles(range(len(groups)))
    low, high = float(points[x].min()), float(points[x].max())
    grid = np.linspace(low, high, LINE_POINTS).tolist()
    for number, (key, found) in enumerate(groups):
        label = ", ".join(f"{name} = {value:g}" for name, value in zip(held, key, strict=True)) or "trained"
        first = found.iloc[0]
        others = {a.name: [float(first[a.name])] for a in agreement.theory.axes if a.name != x}
        params = next(
            run.counterpart.params
            for run in agreement.runs
            if all(run.counterpart.held[name] == values[0] for name, values in others.items())
        )
        line = _line(agreement.theory, params, {**others, x: grid}, x, y)
        axes.plot(line[x], line[y], color=looks[number][0], linewidth=1.0)
        figure.record(f"{label}, exact", **{x: line[x].to_numpy(), y: line[y].to_numpy()})
        shown = found.sort_values(x)
        _points(axes, (shown[x], None), (shown["mean"], shown["stderr"]), looks[number], label)
    _limits(agreement, axes, y, {x: pd.Series(grid)}, points)
    return _finished(agreement, figure, axes, x, y, (y,))


def _line(
    theory: Theory, params: Mapping[str, Any], grid: dict[str, list[float]], x: str, y: str
) -> pd.DataFrame:
    checked = validate_params(theory, dict(params))
    return pd.DataFrame(theory.points(checked, grid))[[x, y]]


def _points(
    axes: Axes,
    across: tuple[Any, Any],
    upwards: tuple[pd.Series[float], pd.Series[float]],
    look: tuple[Any, str],
    label: str,
) -> None:
    axes.errorbar(
        across[0],
        upwards[0],
        yerr=upwards[1],
        xerr=across[1],
        color=look[0],
        linestyle="none",
        marker=look[1],
        markersize=3.5,
        markerfacecolor="white",
        elinewidth=0.8,
        label=style.plain(label),
    )


def _limits(
    agreement: Agreement, axes: Axes, y: str, at: dict[str, pd.Series[float]], points: pd.DataFrame
) -> None:
    """Draw what an observable is to be compared with, where that is constant or a function of what x is."""
    params = validate_params(agreement.theory, dict(agreement.runs[0].counterpart.params))
    compared = [
        (name, reference)
        for name, reference in agreement.theory.compared.items()
        if reference.observable == y and set(reference.axes) <= set(at)
    ]
    for (name, reference), dashes in zip(compared, cycle(DASHES), strict=False):
        look: dict[str, Any] = {
            "color": style.QUIET,
            "linestyle": dashes,
            "linewidth": 1.0,
            "label": style.plain(name),
        }
        values = sorted({float(v) for v in (next(iter(at.values())) if at else points["at"]) if isfinite(v)})
        if reference.axes:
            found = list(_answers(reference.axes[0], values, partial(reference.value, params)))
            xs, ys = [x for x, _ in found], [value for _, value in found]
            axes.plot(xs, ys, **look)
        else:
            for _, value in _answers("", [0.0], partial(_nowhere, partial(reference.value, params))):
                axes.axhline(value, **look)


def _nowhere(value: Callable[[Mapping[str, float]], float], _held: Mapping[str, float]) -> float:
    """Return what depends on no axis."""
    return value({})


def _answers(
    axis: str, values: Sequence[float], ask: Callable[[Mapping[str, float]], float]
) -> Iterator[tuple[float, float]]:
    for value in values:
        try:
            yield value, float(ask({axis: value}))
        except InputError:
            continue


def _along(theory: Theory) -> str | None:
    return next((axis.name for role in ALONG for axis in theory.axes if axis.role == role), None)


def _finished(
    agreement: Agreement, figure: Drawing, axes: Axes, x: str, y: str, logarithmic: Sequence[str]
) -> Drawing:
    told = {axis.name: axis.meaning for axis in agreement.theory.axes}
    told |= {observable.name: observable.meaning for observable in agreement.theory.observables}
    for name, which in ((x, "x"), (y, "y")):
        label = style.plain(told[name] if len(told[name]) < 60 else name)
        if name in logarithmic:
            set_log(axes, label, which)
        elif which == "x":
            axes.set_xlabel(label)
        else:
            axes.set_ylabel(label)
    axes.set_title("lines exact, points mean and standard error", fontsize="medium")
    axes.legend(fontsize="x-small")
    return figure
