"""Directive `{commands}`: every command with its options, as `--help` shows them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from described import plain
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from normlaw.cli.program import main

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def commands(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[click.Context]:
    """Yield the context of a command and of all commands below it."""
    ctx = click.Context(command, info_name=name, parent=parent, **command.context_settings)
    yield ctx
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            yield from commands(one, below, ctx)


def section(ctx: click.Context) -> Iterator[str]:
    """Yield a command's Markdown: a heading, its usage, what it does, its options."""
    command = ctx.command
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    yield f"## `{ctx.command_path}`\n"
    yield f"```text\n{usage}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):  # click's mark of lines that stay as they are
            yield f"```sh\n{paragraph[2:]}\n```\n"
        else:
            yield plain(re.sub(r"\s+", " ", paragraph)) + "\n"
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record and record[1] and "--help" not in record[0]:
            yield f"`{record[0]}`\n: {plain(record[1])}\n"


class Commands(SphinxDirective):
    """The whole command line."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each command."""
        found = [line for ctx in commands(main, "normlaw") for line in section(ctx)]
        return self.parse_text_to_nodes("\n".join(found), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
