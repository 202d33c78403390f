"""docs/troubleshooting.md quotes messages that normlaw has."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
QUOTED = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
GAP = "\N{REPLACEMENT CHARACTER}"


def as_shown(node: ast.expr) -> str | None:
    """Return a string of the code as a reader may meet it, with a gap for each value put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(as_shown(part) or GAP for part in node.values)
    return None


@cache
def sources() -> dict[Path, str]:
    """Return the code that ships."""
    folders = ("registry", "plugins", "platform")
    return {path: path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")}


@cache
def messages(path: Path) -> list[str]:
    """Return every string in a file; the parser has joined neighbouring pieces."""
    nodes = ast.walk(ast.parse(sources()[path]))
    return [text for node in nodes if isinstance(node, ast.expr) and (text := as_shown(node))]


def is_said(quoted: str) -> bool:
    """Whether one message holds the quoted words in their order; '...' and quotes around it are a value."""
    parts = [part.strip() for part in re.split(r"'?\.\.\.'?", quoted) if part.strip()]
    pattern = re.compile(f"[^\n]*?{GAP}[^\n]*?".join(map(re.escape, parts)))
    words = re.findall(r"\w+", " ".join(parts))
    return any(
        pattern.search(text)
        for path, code in sources().items()
        if all(word in code for word in words)
        for text in messages(path)
        if all(part in text for part in parts)
    )


@pytest.mark.parametrize("quoted", QUOTED)
def test_each_message_is_in_the_code(quoted) -> None:
    assert is_said(quoted.removesuffix(": did you mean")), quoted


def test_another_message_is_not_found() -> None:
    assert is_said("no study '...'")
    assert not is_said("no study '...' anywhere on earth")
    assert len(QUOTED) >= 15
