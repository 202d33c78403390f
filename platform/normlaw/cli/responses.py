"""The options that say what is analysed: which quantity, less which floor, from which norm and size on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
OPTIONS = (
    click.option(
        "--response",
        type=click.Choice(["test_error", "test_loss"]),
        help="What falls with the norm; default: what the study says, else test_error.",
    ),
    click.option(
        "--floor",
        type=float,
        metavar="VALUE",
        help="What the response is known to be at least: the laws of its excess are fitted.",
    ),
    click.option(
        "--from-norm",
        type=float,
        metavar="LAMBDA",
        help="Leave out smaller norms; default: as the study says.",
    ),
    click.option(
        "--from-train-size", type=int, metavar="P", help="Leave out smaller train sizes; default: likewise."
    ),
)


def response_options(command: Command) -> Command:
    """Add the options to a command, which gets them under the names of fields of `Options`."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
