"""The programs on the pages of the solvable models are run; they print what the pages say, and draw."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import matplotlib as mpl
import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", ["diagonal_network", "two_layer"])
@pytest.mark.slow
def test_the_figure_of_a_page(page, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DOCS / f"{page}.md").read_text()
    program = re.search(r"<!-- example: figure -->\s*```python\n(.+?)```", text, re.DOTALL)
    printed = re.search(r"<!-- output: figure -->\s*```text\n(.*?)```", text, re.DOTALL)
    assert program
    assert printed
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(program[1], f"{page}.md", "exec"), {"__name__": "page"})
    assert told.getvalue() == printed[1]
    assert (tmp_path / f"{page}.png").stat().st_size > 10_000
