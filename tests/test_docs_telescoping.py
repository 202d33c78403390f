"""The program on the page about telescoping is run on the small variant of its study, and draws."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import matplotlib as mpl
import pytest
from click.testing import CliRunner

from normlaw.cli.program import main

PAGE = (Path(__file__).parents[1] / "docs" / "telescoping.md").read_text()


@pytest.mark.slow
def test_the_program_draws_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = re.search(r"<!-- example: figure -->\s*```python\n(.+?)```", PAGE, re.DOTALL)
    printed = re.search(r"<!-- output: figure -->\s*```text\n(.*?)```", PAGE, re.DOTALL)
    assert program
    assert printed
    small = program[1].replace('load_study("telescoping")', 'load_study("telescoping", scale="small")')
    assert small != program[1]
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    mpl.use("agg")
    done = CliRunner().invoke(main, ["run", "telescoping", "--scale", "small", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(small, "telescoping.md", "exec"), {"__name__": "page"})
    lines, on_page = told.getvalue().splitlines(), printed[1].splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["1", "5", "20"]
    assert lines[0].split() == on_page[0].split()
    assert (tmp_path / "telescoping.png").stat().st_size > 10_000
