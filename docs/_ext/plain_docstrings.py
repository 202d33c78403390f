"""Docstrings as they are written: `code` in backquotes, and signs of formulas that stand for themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CODE = re.compile(r"(``.+?``|`[^`]+`)")
SIGN = re.compile(r"[*|\\]|_(?!\w)")


def escaped(lines: list[str]) -> list[str]:
    """Return a docstring's lines for reStructuredText, which would take |A| for a name and * for emphasis.

    What stands in backquotes or in a doctest is left alone, and so is code: a block indented after a
    blank line, below one that ends in a colon.
    """
    found: list[str] = []
    literal = -1  # the indentation at which a literal block ends; -1: not in one
    for number, line in enumerate(lines):
        indentation = len(line) - len(line.lstrip())
        if literal >= 0 and line.strip() and indentation <= literal:
            literal = -1
        if literal < 0 and not line.lstrip().startswith(">>> "):
            found.append(_escaped(line))
            if line.endswith(":") and lines[number + 1 : number + 2] == [""]:
                literal = indentation
                found[-1] += "" if line.endswith("::") else ":"
        else:
            found.append(line)
    return found


def _escaped(line: str) -> str:
    parts = CODE.split(line)  # text, code, text, ...
    for i in range(0, len(parts), 2):
        parts[i] = SIGN.sub(lambda sign: "\\" + sign[0], parts[i])
        if i and parts[i][:1].isalnum():
            parts[i] = "\\ " + parts[i]  # `name`s: the code ends here
    return "".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Come before napoleon, which writes reStructuredText of its own."""

    def read(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
        lines[:] = escaped(lines)

    app.connect("autodoc-process-docstring", read, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
