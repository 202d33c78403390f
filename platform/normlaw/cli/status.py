"""`normlaw status`: how far studies have come."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option

if TYPE_CHECKING:
    from normlaw.following.follower import Follower
    from normlaw.following.progress import Progress

EVERY = 1.0
"""Seconds between two looks of --watch."""
COLOURS = {"failed": "red", "Nobody": "yellow"}


@click.command()
@click.argument("studies", metavar="[STUDY]...", nargs=-1, shell_complete=complete.begun)
@click.option("--watch", is_flag=True, help="Look again every second, until nothing is trained any more.")
@click.option("--log", "logs", is_flag=True, help="Print where each failure came from, as Python shows it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list, a study each.")
@click.option("--offline", is_flag=True, help="Look at the journals here alone, and ask no MLflow server.")
@tracking_uri_option
def status(
    studies: tuple[str, ...], watch: bool, logs: bool, as_json: bool, offline: bool, tracking_uri: str | None
) -> None:
    """Tell how far STUDYs have come: done, running, waiting and failed runs, with the time left.

    Without STUDY, a line for each that was begun here or that MLflow has. It reads journals and MLflow, from
    another terminal or after the machine was started anew, and disturbs nobody who trains. With STUDY it exits
    with 1 if a run of it failed or is left to do.
    """
    if watch and as_json:
        raise click.UsageError("--watch is for readers: ask for --json again and again instead")
    with words.working("looking at what is stored", logged=False):
        from normlaw.base.redaction import printable
        from normlaw.following.text import overview, whole
        from normlaw.verbs.status import followers

        following = followers(studies, tracking_uri=tracking_uri, offline=offline)
        found = [follower.follow() for follower in following]

    def told() -> str:
        parts = [whole(progress, logs=logs) for progress in found] if studies else [overview(found)]
        return printable("\n\n".join(parts))

    if as_json:
        click.echo(json.dumps([progress.to_dict() for progress in found], indent=2))
    elif not found:
        say("No study was begun here yet, and MLflow has none.")
    elif not watch:
        say(told(), colours=COLOURS)
    else:
        _watch(following, found, told)
    if studies and not all(progress.complete for progress in found):
        raise click.exceptions.Exit(1)


def _watch(following: list[Follower], found: list[Progress], told: Callable[[], str]) -> None:
    """Show what is told anew each second, in its place at a terminal, else a line whenever one changes."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from normlaw.following.text import headline

    def look() -> bool:
        time.sleep(EVERY)
        found[:] = [follower.follow() for follower in following]
        return any(progress.at_work for progress in found)

    console = Console(file=sys.stdout)
    if console.is_terminal:
        with Live(Text(told()), console=console, auto_refresh=False, redirect_stdout=False) as live:
            while look():
                live.update(Text(told()), refresh=True)
            live.update(Text(told()), refresh=True)
        return
    last: list[str] = []
    going_on = True
    while going_on:
        lines = [headline(progress) for progress in found]
        for line in lines:
            if line not in last:
                say(line)
        last = lines
        going_on = look()
    say(told(), colours=COLOURS)
