"""What `normlaw theory` prints: which theories there are, and tables of points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normlaw.base.terminal import words
from normlaw.cli.saying import say

if TYPE_CHECKING:
    from normlaw.verbs.theory import Solved
    from normlaw_registry import Theory


def listing() -> None:
    """Print every theory with its axes, parameters and observables."""
    from normlaw_registry import Theory, load_catalogue

    with words.working("loading the plugins", logged=False):
        catalogue = load_catalogue()
    for name in catalogue.names(Theory):
        say("\n".join(described(catalogue.get(Theory, name))))


def described(component: Theory) -> list[str]:
    """Return what may be asked of a theory and what it answers, a line each."""
    lines = [f"{component.name}: {component.summary}"]
    for axis in component.axes:
        unit = f" ({axis.unit})" if axis.unit else ""
        lines.append(f"  --axis {axis.name}={','.join(map(shown, axis.tried))}  {axis.meaning}{unit}")
    for name, field in component.params.model_fields.items():
        default = "required" if field.is_required() else f"default {field.default}"
        lines.append(f"  --set {name}=...  {field.description or name}; {default}")
    for observable in component.observables:
        unit = f" ({observable.unit})" if observable.unit else ""
        lines.append(f"  {observable.name}: {observable.meaning}{unit}")
    for name, reference in component.compared.items():
        lines.append(f"  {name}, to compare {reference.observable} with: {reference.meaning}")
    return lines


def table(found: Solved) -> list[str]:
    """Return the points, and below them what to compare them with, as aligned columns."""
    component, rows = found.theory, found.rows
    if not rows:
        return ["no points"]
    lines = columns([list(rows[0]), *([shown(value) for value in row.values()] for row in rows)])
    by_axes: dict[tuple[str, ...], list[str]] = {}
    for name, reference in component.compared.items():
        by_axes.setdefault(reference.axes, []).append(name)
    for axes, names in by_axes.items():
        held = list(dict.fromkeys(tuple(point[axis] for axis in axes) for point in found.points))
        lines += ["", "To compare with:"]
        lines += columns([[*axes, *names], *(_compared(found, axes, names, values) for values in held)])
    return lines


def _compared(found: Solved, axes: Sequence[str], names: Sequence[str], values: Sequence[float]) -> list[str]:
    """Return the cells of one line of references; a dash where one has no value."""
    from normlaw_registry import InputError

    cells = [shown(value) for value in values]
    for name in names:
        try:
            value = found.theory.compared[name].value(found.params, dict(zip(axes, values, strict=True)))
        except InputError:
            value = None
        cells.append(shown(value))
    return cells


def columns(cells: list[list[str]]) -> list[str]:
    """Return rows of cells as lines, every column aligned to the right."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def shown(value: float | str | None) -> str:
    """Return a number to eight significant digits, and a dash for what float64 cannot hold."""
    if isinstance(value, str):
        return value
    return "-" if value is None else f"{value:.8g}"
