"""Tables as text, in lines that fit a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 79
"""Columns of all lines: they fit the narrowest usual terminal."""


def short(number: float) -> str:
    """Return a number with four significant digits."""
    return f"{number:.4g}"


def table_lines(table: pd.DataFrame, width: int = WIDTH) -> list[str]:
    """Return a table's lines, nothing where a number is missing; what is too wide goes on below.

    A column with nothing in it is left out. Each part of a table that is too wide begins with the first column.
    """
    cells = {str(name): [cell(value) for value in column] for name, column in table.items()}
    cells = {name: texts for name, texts in cells.items() if any(texts)}
    widths = {name: max(map(len, [name, *texts])) for name, texts in cells.items()}
    first, *others = cells
    parts, left = [[first]], width - widths[first]
    for name in others:
        left -= 1 + widths[name]
        if left < 0 and len(parts[-1]) > 1:
            parts.append([first])
            left = width - widths[first] - 1 - widths[name]
        parts[-1].append(name)
    lines: list[str] = []
    for part in parts:
        lines += [""] * bool(lines)
        for row in zip(*([name, *cells[name]] for name in part), strict=True):
            lines.append(" ".join(f"{text:>{widths[name]}}" for text, name in zip(row, part, strict=True)))
    return lines


def cell(value: object) -> str:
    """Return a value with four significant digits where it has a fraction; nothing where it is missing."""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else short(float(value))
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)
