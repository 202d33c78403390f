"""What a newcomer sees: a word before anything is waited for, one style of error, lines of 80 columns."""

from __future__ import annotations

import os
import pty
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from normlaw.cli.program import EXIT_CODES, main
from normlaw.cli.saying import say
from normlaw_tests.processes import run, without

ROOT = Path(__file__).parents[3]

FIRST = """
import sys

class Heavy:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pydantic", "torch", "mlflow", "pandas", "scipy", "matplotlib"):
            import os
            os.write(2, b"WAITS FOR " + name.encode())
            os._exit(77)

sys.meta_path.insert(0, Heavy())
from normlaw.cli.program import main
main(sys.argv[1:], prog_name="normlaw")
"""
"""Ends where the first library is imported that takes its time: pydantic a tenth of a second, torch seconds."""


def screen(arguments: list[str], folder: Path) -> str:
    """Return what a command writes on a terminal before it imports what takes seconds."""
    ours, theirs = pty.openpty()
    done = run(
        [sys.executable, "-c", FIRST, *arguments],
        cwd=folder,
        env=without() | {"TERM": "xterm", "COLUMNS": "80"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # all is read
            break
        text += piece
        if not piece:
            break
    os.close(ours)
    assert done.returncode == 77, text
    return text.decode()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("run quickstart", "quickstart: "),
        ("run quickstart --dry-run", "quickstart: "),
        ("analyse quickstart", "quickstart: reading its curves"),
        ("predict quickstart --train-size 1e6", "quickstart: reading its curves"),
        ("plan quickstart", "quickstart: reading its curves"),
        ("sync", "looking for what MLflow does not have"),
        ("report", "reading the latest analyses"),
        ("import curves.csv --study mine", "mine: reading curves.csv"),
        ("theory perceptron --alpha 1 --lambda 1", "solving perceptron"),
        ("doctor", "checking this machine"),
        ("studies", "reading the studies"),
        ("studies quickstart --time", "timing a few steps"),
    ],
)
def test_a_word_comes_before_what_takes_seconds(arguments: str, word: str, tmp_path: Path) -> None:
    shown = screen(arguments.split(), tmp_path)
    before, waits, _ = shown.partition("WAITS FOR")
    assert word in before
    assert waits


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", [*commands(main)], ids=" ".join)
def test_help_is_whole_at_80_columns(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"], terminal_width=80).output
    assert max(map(len, shown.splitlines())) <= 80
    assert not re.search(r"\w\.\.\.$", shown, re.MULTILINE)  # as click cuts a sentence


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("runn", "error: no such command 'runn': did you mean 'run'?\nsee: normlaw --help\n"),
        ("run", "error: missing argument 'STUDY'\nsee: normlaw run --help\n"),
        ("run quickstart --sacle small", "error: no such option '--sacle': did you mean '--scale'"),
        ("run quikstart", "error: no study 'quikstart': did you mean quickstart?"),
        (
            "run quickstart --max-parallel 0",
            "error: invalid value for '--max-parallel': 0 is not in the range x>=1\n",
        ),
        (
            "analyse curves.csv",
            "error: curves.csv is a file of curves, and no study: give it with --curves\n"
            "see: normlaw analyse --help\n",
        ),
        ("analyse", "error: name either a STUDY or a file with --curves\nsee: normlaw analyse --help\n"),
    ],
)
def test_every_error_has_one_style_and_is_said_once(
    arguments: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("curves.csv").touch()
    done = CliRunner().invoke(main, arguments.split(), prog_name="normlaw")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert told in done.stderr
    assert done.stderr.lower().count("error") == 1


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    say("error: it fell\nwarning too", err=True)
    assert capsys.readouterr().err == "error: it fell\nwarning too\n"
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda stream, color: False)
    say("error: it fell\nwarning too")
    assert (
        capsys.readouterr().out == "\x1b[31m\x1b[1merror:\x1b[0m it fell\n\x1b[33m\x1b[1mwarning\x1b[0m too\n"
    )
    monkeypatch.setenv("NO_COLOR", "1")
    say("error: it fell")
    assert capsys.readouterr().out == "error: it fell\n"


@pytest.mark.parametrize("page", ["README.md", "docs/reference/command_line.md"])
def test_exit_codes_are_documented(page: str) -> None:
    codes = set(re.findall(r"\b\d+\b", EXIT_CODES))
    assert codes == {"0", "1", "2", "130", "141", "143"}
    text = " ".join((ROOT / page).read_text().split())
    told = text[text.index("exit with 0" if page == "README.md" else "exits with 0") :][:400]
    assert codes <= set(re.findall(r"\b\d+\b", told))
