"""`normlaw theory --figure`: an observable of a solvable model against any axis or observable."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from normlaw_registry import Grid, InputError, Theory
from normlaw_registry.errors import suggestion

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.verbs.theory import Solved


def theory_figure(
    name: str,
    axes: Grid,
    *,
    params: Mapping[str, Any] | None = None,
    x: str | None = None,
    y: str | None = None,
    width: Literal["page", "column"] = "page",
) -> Figure:
    """Return a figure of a solvable model's curves; `normlaw theory --figure`.

    Args:
        name: of the theory.
        axes: axis -> values, every axis of the theory.
        params: its parameters.
        x: an axis or an observable; the theory's last axis by default. Where it is an axis curves run along
            that, else along the theory's last axis.
        y: an observable; the theory's first one by default.
        width: across a page, or in one of two columns of print.

    Raises:
        InputError: an axis, value or parameter is out of range, or there is no such axis or observable.

    """
    from normlaw.analysis.figures.style import COLUMN, PAGE
    from normlaw.verbs.theory import solved

    if width not in ("page", "column"):
        raise InputError(f"a figure is as wide as a 'page' or a 'column', not {width!r}")
    return draw(solved(name, axes, params=params), x, y, COLUMN if width == "column" else PAGE)


def draw(found: Solved, x: str | None, y: str | None, size: Any = None) -> Drawing:
    """Return the figure of what was solved.

    Raises:
        InputError: there is no such axis or observable.

    """
    import pandas as pd

    from normlaw.analysis.figures.style import PAGE
    from normlaw.analysis.figures.theory_curves import theory_curves

    component = found.theory
    x, y = checked(component, x, y)
    axes = [axis.name for axis in component.axes]
    along = x if x in axes else axes[-1]
    points = pd.DataFrame(found.points)
    if not len(points):
        raise InputError("no points to draw: give every axis values")
    return theory_curves(
        points.sort_values(along, kind="stable"),
        x,
        y,
        [axis for axis in axes if axis != along],
        labels(component),
        references(found, points, x, y),
        size or PAGE,
    )


def checked(component: Theory, x: str | None, y: str | None) -> tuple[str, str]:
    """Return what is drawn against what.

    Raises:
        InputError: the theory has no such axis or observable, or both are the same.

    """
    axes, observables = [a.name for a in component.axes], [o.name for o in component.observables]
    x, y = x or axes[-1], y or next(name for name in observables if name != x)
    for which, name, known in (("x", x, [*axes, *observables]), ("y", y, observables)):
        if name not in known:
            raise InputError(
                f"--{which} {name}: theory {component.name!r} has no such "
                f"{'axis or observable' if which == 'x' else 'observable'}: {suggestion(name, known)}"
            )
    if x == y:
        raise InputError(f"--x and --y are both {x}: name two different ones")
    return x, y


def labels(component: Theory) -> dict[str, str]:
    """Return what an axis of a figure says of each axis and observable."""
    units = {axis.name: axis.unit for axis in component.axes}
    units |= {observable.name: observable.unit for observable in component.observables}
    return {name: name.replace("_", " ") + (f" ({unit})" if unit else "") for name, unit in units.items()}


def references(found: Solved, points: pd.DataFrame, x: str, y: str) -> dict[str, pd.DataFrame]:
    """Return what `y` is to be compared with, where that is constant or a function of `x` alone."""
    import pandas as pd

    tables = {}
    values = sorted(value for value in points[x].unique() if isfinite(value))
    for name, reference in found.theory.compared.items():
        if reference.observable != y or set(reference.axes) - {x}:
            continue
        rows = []
        for value in values:
            try:
                rows.append((value, reference.value(found.params, {x: value} if reference.axes else {})))
            except InputError:  # there is none here
                continue
        if rows:
            tables[name] = pd.DataFrame(rows, columns=[x, y])
    return tables
