"""How commands say what they have to say: results, and errors in one style, in lines that fit the terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

import click

from normlaw.base.terminal import fitted, room, words

ERROR, NOT_SENT, WARNING = "error:", "not sent:", "warning"
COLOURS = {ERROR: "red", NOT_SENT: "red", WARNING: "yellow"}
"""Of the words that a line begins with; none where standard output or standard error is no terminal."""
HELD = {"hold": "green", "fail": "red", "cannot_tell": "yellow"}
"""Colours of verdicts."""


def say(text: str, *, err: bool = False, colours: Mapping[str, str] = COLOURS) -> None:
    """Print a text in lines that fit the terminal, if it is one.

    Args:
        text: what to print, plain.
        err: whether to standard error.
        colours: of words that lines begin with.

    """
    lines = fitted(text, room(sys.stderr if err else sys.stdout))
    with words.paused():
        click.echo("\n".join(_painted(line, colours) for line in lines.split("\n")), err=err)


def say_error(message: str) -> None:
    """Print what failed, to standard error."""
    say(f"{ERROR} {message}", err=True)


def say_misuse(error: click.ClickException) -> None:
    """Print that a command line is none, in the style of all other errors, with where its help is."""
    message = error.format_message().strip().rstrip(".")
    message = re.sub(r"[.?]? \(?Did you mean (?:one of: )?(.+?)\?\)?$", r": did you mean \1?", message)
    if not message[:2].isupper():
        message = message[:1].lower() + message[1:]
    ctx = getattr(error, "ctx", None)
    say_error(f"{message}\nsee: {ctx.command_path} --help" if ctx is not None else message)


def _painted(line: str, colours: Mapping[str, str]) -> str:
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        return line
    for word, colour in colours.items():
        if line.startswith(word):
            return click.style(word, fg=colour, bold=True) + line.removeprefix(word)
    return line
