"""Groups of commands: `--help` cuts no sentence, and a command is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import click


class WholeSentences(click.Group):
    """Lists its commands with the first sentence of each, in as many lines as it takes."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list; see click."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, command.get_short_help_str(limit=1000))
            for name, command in found
            if command is not None and not command.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Lazy(WholeSentences):
    """Imports a command when it is asked for: who gives one does not wait for what the others need.

    Attributes:
        places: where each command is, "module:name", by the command's own name.
        prepare: what is done with each command once it is there.

    """

    places: Mapping[str, str] = {}
    prepare: Callable[[click.Command], None] = staticmethod(lambda command: None)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands; see click."""
        return sorted({*self.places, *self._loaded})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; see click."""
        if cmd_name not in self._loaded and cmd_name in self.places:
            module, _, name = self.places[cmd_name].partition(":")
            command: click.Command = getattr(import_module(module), name)
            self.prepare(command)
            self._loaded[cmd_name] = command
        return self._loaded.get(cmd_name)

    @property
    def commands(self) -> Any:
        """All commands by their names, in the order of `places`."""
        for name in self.places:
            self.get_command(click.Context(self), name)
        return {name: self._loaded[name] for name in dict.fromkeys([*self.places, *self._loaded])}

    @commands.setter
    def commands(self, given: Any) -> None:
        self._loaded: dict[str, click.Command] = dict(given)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command that is there; see click."""
        self._loaded[name or cmd.name or ""] = cmd
