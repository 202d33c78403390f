"""Each promise of docs/promises.md, and of docs/own_loop.md, names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "promises.md").read_text()
OWN_LOOP = (ROOT / "docs" / "own_loop.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE + OWN_LOOP)


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_it_names_exists() -> None:
    assert len(NAMED) > 30
    for file, name in NAMED:
        assert name in names_in(file), f"{file}::{name}"


def test_every_promise_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) > 20
    for row in rows:
        assert "`tests/" in row.rsplit(" | ", 1)[1], row
