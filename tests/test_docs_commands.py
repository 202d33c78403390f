"""Every command on every page is one that there is: its options, its values, its study and scale, its programs.

What the commands do is tested where the page that shows them is; here no page's command is left out.
"""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

import click
import pytest

from normlaw.cli.program import main
from normlaw.study.named import find_study, shipped_studies

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]}
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PLACE = re.compile(r"\[?[A-Z][A-Z_]*\]?(\.\w+)?\.*")
"""What stands for something of the reader's own: STUDY, FILE.csv."""
INSTEAD = {"KIND": "fitter", "KEY=VALUE": "a=1", "dask|slurm|pbs": "dask"}
"""What is put in where any word would not do."""
OTHERS = {"--build-arg", "--allowed-hosts"}
"""Options, in sentences, of `docker build` and `mlflow server`."""


@dataclass(frozen=True)
class Command:
    """A command on a page."""

    page: str
    words: tuple[str, ...]
    whole: bool
    """Whether it stands in a block, to be typed as it is; in a sentence only its name may stand."""

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


@cache
def commands() -> list[Command]:
    """Return the commands of all pages; those of the runner of docker compose are normlaw's."""
    found = []
    for page, text in PAGES.items():
        blocks = [block for language, block in FENCE.findall(text) if language == "sh" and block[:2] != "#!"]
        lines = [(line.partition("  #")[0], True) for block in blocks for line in block.splitlines()]
        lines += [(line, False) for line in INLINE.findall(FENCE.sub("", text))]
        for line, whole in lines:
            for part in re.split(r"&&|;", line):
                try:
                    words = tuple(word for word in shlex.split(part) if word != "...")
                except ValueError:  # code, but no shell's
                    continue
                if words[:4] == ("docker", "compose", "run", "--rm") and words[4] in ("runner", "runner-gpu"):
                    words = ("normlaw", *words[5:])
                if len(words) > 1 and not any("<" in word for word in words):
                    found.append(Command(page, (Path(words[0]).name, *words[1:]), whole))
    return found


def of(program: str) -> list[Command]:
    found = [command for command in commands() if command.words[0] == program]
    assert found
    return list(dict.fromkeys(found))


def parsed(words: tuple[str, ...]) -> click.Context:
    """Return the command line as click parses it, without running it; click's error says what is wrong."""
    command: click.Command = main
    with patch.dict(os.environ):  # --no-plugins holds for processes that are begun, too
        ctx = command.make_context("normlaw", [INSTEAD.get(word, word) for word in words[1:]])
    while isinstance(command, click.Group) and (arguments := [*ctx._protected_args, *ctx.args]):
        name, found, arguments = command.resolve_command(ctx, arguments)
        assert found is not None
        command, ctx = found, found.make_context(name, arguments, parent=ctx)
    return ctx


@pytest.mark.parametrize("command", of("normlaw"), ids=str)
def test_every_command_can_be_given(command: Command) -> None:
    try:
        ctx = parsed(command.words)
    except click.exceptions.Exit:  # --version has been shown
        return
    except (click.MissingParameter, click.BadOptionUsage):
        assert not command.whole
        return
    if command.whole:
        assert not isinstance(ctx.command, click.Group) or ctx.command.invoke_without_command
    given = ctx.params.get("study") or ctx.params.get("studies") or ctx.params.get("names") or ()
    for name in (given,) if isinstance(given, str) else given:
        if isinstance(name, str) and ctx.command.name != "resume" and not PLACE.fullmatch(name):
            check_study(command.page, name, ctx)


@cache
def studies() -> tuple[list[str], list[str]]:
    """Return what studies are shipped, and what they are called at their scales."""
    shipped = list(shipped_studies())
    return shipped, [f"{one}-{scale}" for one in shipped for scale in find_study(one).scales]


def check_study(page: str, name: str, ctx: click.Context) -> None:
    """Check that a study is shipped, is one of the reader's own, or is made on the page."""
    shipped, scales = studies()
    own = re.findall(
        r"(?:^name: |study=\"|\(\"|^normlaw (?:import|theory) .*--study )([\w-]+)", PAGES[page], re.MULTILINE
    )
    file = name.endswith((".yaml", ".yml"))
    if ctx.command.name == "run":
        assert name in shipped or file, name
    else:
        assert name in [*shipped, *scales, *own] or file, name
    if scale := ctx.params.get("scale"):
        assert scale in find_study(name).scales


def test_every_option_in_a_sentence_is_an_option() -> None:
    """Of a command of normlaw, or of a program that the same page shows in a block."""
    ours = {option for command in every(main) for one in command.params for option in one.opts} | {"--help"}
    for page, text in PAGES.items():
        shown = {option for _, block in FENCE.findall(text) for option in re.findall(r"--[\w-]+", block)}
        for inline in INLINE.findall(FENCE.sub("", text)):
            if option := re.match(r"--[\w-]+", inline):
                assert option[0] in ours | shown | OTHERS, f"{page}: {inline}"


def every(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from every(below)


@pytest.mark.parametrize("command", of("python"), ids=str)
def test_every_program_is_there_with_its_options(command: Command) -> None:
    _, first, *others = command.words
    if first == "-m":
        assert others[0] == "pytest"
        paths = [word for word in others if word.startswith("tests/")]
        assert all((ROOT / path).exists() for path in paths)
        return
    program = ROOT / first
    source = (program / "__main__.py" if program.is_dir() else program).read_text()
    assert all(f'"{word}"' in source for word in others if word.startswith("--"))
    if program.is_dir():
        assert all((program / f"{word}.py").exists() for word in others)


def test_every_extra_that_is_installed_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {
        extra
        for command in of("pip")
        for word in command.words
        if (found := re.fullmatch(r"(?:\.|normlaw)\[([\w,]+)\]", word))
        for extra in found[1].split(",")
    }
    assert {"test", "docs", "cluster"} <= asked <= project["optional-dependencies"].keys()


def test_what_claims_to_have_a_small_variant_has_one() -> None:
    page = " ".join(PAGES["studies.md"].split())
    claim = re.search(r"All but (.+?) have a variant `small`", page)
    assert claim
    without = {name for name in shipped_studies() if "small" not in find_study(name).scales}
    assert without == set(re.findall(r"`(\w+)`", claim[1]))
