"""Docstrings as they are written: `code` in backquotes, and signs of formulas that stand for themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CODE_OR_SIGN = re.compile(r"(``.+?``|`[^`]+`)|([*|\\]|_(?!\w))")


def escaped(lines: list[str]) -> list[str]:
    """Return a docstring's lines for reStructuredText, which would take |A| for a name and * for emphasis.

    What stands in backquotes, in a doctest, or indented below a line that ends in `::` is left alone.
    """
    found, literal = [], -1  # the indentation below which a literal block ends; -1: not in one
    for line in lines:
        indentation = len(line) - len(line.lstrip())
        if literal >= 0 and line.strip() and indentation <= literal:
            literal = -1
        if literal < 0 and not line.lstrip().startswith(">>> "):
            found.append(CODE_OR_SIGN.sub(lambda part: part[1] or "\\" + part[2], line))
            if line.rstrip().endswith("::"):
                literal = indentation
        else:
            found.append(line)
    return found


def setup(app: Sphinx) -> dict[str, Any]:
    """Come before napoleon, which writes reStructuredText of its own."""

    def read(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
        lines[:] = escaped(lines)

    app.connect("autodoc-process-docstring", read, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
