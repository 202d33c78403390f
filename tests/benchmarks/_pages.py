"""Tables that benchmarks write into pages of the documentation."""

from __future__ import annotations

import re
from pathlib import Path


def table_of(page: Path, name: str) -> list[str]:
    """Return the lines between a page's markers `<!-- name: begin -->` and `<!-- name: end -->`."""
    return _place(page, name)[1].strip().splitlines()


def write(page: Path, name: str, lines: list[str]) -> None:
    """Replace them."""
    match = _place(page, name)
    text = match.string
    page.write_text(text[: match.start(1)] + "\n".join(["", *lines, ""]) + text[match.end(1) :])


def _place(page: Path, name: str) -> re.Match[str]:
    found = re.search(f"<!-- {name}: begin -->(.*?)<!-- {name}: end -->", page.read_text(), re.DOTALL)
    if found is None:
        raise SystemExit(f"{page} has no <!-- {name}: begin --> ... <!-- {name}: end -->")
    return found
