"""What docs/project.md shows is run as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import normlaw
from normlaw.analysis import figures
from normlaw.cli.program import main
from normlaw_tests.figure_files import cheapest
from normlaw_tests.two_settings import import_frame, two_settings, work_in

pytestmark = pytest.mark.slow
PAGE = (Path(__file__).parents[1] / "docs" / "project.md").read_text()


@pytest.fixture
def here(tmp_path, empty_database, monkeypatch) -> Path:
    """Return a folder whose store has the analysed study `mine`, of two settings, and `quickstart`."""
    work_in(tmp_path, monkeypatch, empty_database)
    with monkeypatch.context() as patch:
        patch.setattr(figures, "drawn_of", cheapest)  # the page draws none of what is made here
        for name, seeds in (("mine", 2), ("quickstart", 1)):
            import_frame(two_settings(seeds), name, "made.csv")
            normlaw.analyse(name, norm="first", protocol="released", window=(None, 0.3))
    return tmp_path


def python(name: str) -> str:
    (found,) = re.findall(rf"<!-- example: {name} -->\s*```python\n(.+?)```", PAGE, re.DOTALL)
    return str(found)


def test_programs_and_commands_run(here) -> None:
    exec(compile(python("curves"), "project.md", "exec"), {})
    assert len(normlaw.curves("copy")) == len(pd.read_csv("curves.csv"))
    exec(compile(python("style"), "project.md", "exec"), {})
    assert Path("steps.pdf").read_bytes().startswith(b"%PDF")
    commands = [shlex.split(line, comments=True) for line in re.findall(r"^normlaw .+$", PAGE, re.MULTILINE)]
    assert [command[1] for command in commands] == ["compare"] * 3 + ["export"] + ["clean"] * 2
    for words in commands:
        more = ["--protocol", "automatic", "--set", "draws=100"] if words[1] == "export" else []
        ending = ["--yes"] if words[1:] == ["clean", "mine"] else []
        done = CliRunner().invoke(main, [*words[1:], *more, *ending])
        assert done.exit_code == 0, done.output
    exported = {path.relative_to("paper/results") for path in Path("paper/results").rglob("*")}
    named = re.findall(r"`([\w./*]+\.(?:csv|parquet|tex|json|pdf))`", PAGE.partition("## Export")[2])
    for name in named:
        assert any(path.match(name) for path in exported) or name == "steps.pdf", name
