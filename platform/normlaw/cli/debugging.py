"""`--debug`, which every command has: tracebacks are shown."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType
from typing import Any

import click

_KEY = "normlaw.debug"


def debug_asked_for(ctx: click.Context | None = None) -> bool:
    """Return whether tracebacks are to be shown; `ctx` is by default that of the command being run."""
    ctx = ctx or click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(_KEY))


def with_debug_option(command: click.Command, *, below: bool = True) -> None:
    """Give a command, and all below it unless these are to be left, the option `--debug`."""
    command.params.append(
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_note,
            help="Show the tracebacks of what fails.",
        )
    )
    if below and isinstance(command, click.Group):
        for one in command.commands.values():
            with_debug_option(one)


def show_redacted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback, of a bug, as Python does, but without passwords and tokens."""
    from normlaw.base.redaction import printable

    sys.stderr.write(printable("".join(traceback.format_exception(kind, error, trace))))


def _note(ctx: click.Context, _option: click.Parameter, asked: Any) -> None:
    if asked:
        ctx.meta[_KEY] = True
