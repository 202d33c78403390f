"""What the command line makes of errors, and `--debug`, which every command has."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from normlaw.cli.debugging import with_debug_option
from normlaw.cli.program import Program, main
from normlaw_registry import InputError, NormlawError


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", [(), *commands(main)])
def test_every_command_has_the_option(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"]).output
    assert "--debug" in shown


def fail_for_a_reason() -> None:
    try:
        raise ValueError("the sky")
    except ValueError as error:
        raise NormlawError("measure 'm' failed: ValueError: the sky") from error


def refuse() -> None:
    raise InputError("no such study")


def leave() -> None:
    sys.exit(3)


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("happens", "code", "told"),
    [
        (fail_for_a_reason, 1, "error: measure 'm' failed: ValueError: the sky\n"),
        (refuse, 2, "error: no such study\n"),
        (leave, 1, f"error: some code ended the program: it called sys.exit(3) ({__file__}, line "),
        (interrupt, 130, "Stopped.\n"),
    ],
)
@pytest.mark.parametrize("asked", [(), ("before",), ("after",)])
def test_an_error_is_one_message_and_with_debug_a_traceback(
    happens: object, code: int, told: str, asked: tuple[str, ...]
) -> None:
    group = Program("program")
    group.command("verb")(happens)  # type: ignore[arg-type]
    with_debug_option(group)
    arguments = ["--debug"] * ("before" in asked) + ["verb"] + ["--debug"] * ("after" in asked)
    hook = sys.excepthook
    try:
        result = CliRunner().invoke(group, arguments)
    finally:
        sys.excepthook = hook
    assert result.exit_code == code
    assert told in result.stderr
    assert ("Traceback" in result.stderr) == (bool(asked) and happens is not interrupt)
