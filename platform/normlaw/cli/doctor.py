"""`normlaw doctor`: check the machine before days are spent on it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from normlaw.base.terminal import beside, room, words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option

if TYPE_CHECKING:
    from normlaw.machine.finding import Finding

COLOURS = {"good": "green", "doubtful": "yellow", "bad": "red"}
COLUMN = 31
"""Where what was found begins."""


@click.command()
@click.argument("architectures", nargs=-1, shell_complete=complete.component("Architecture"))
@tracking_uri_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def doctor(architectures: tuple[str, ...], tracking_uri: str | None, as_json: bool) -> None:
    """Check this machine: versions, plugins, processor, memory, disk, locks, GPU, precision, gradients, MLflow.

    The gradients of ARCHITECTURES (default: all that are installed) are compared with float64, each in a
    process of its own. Exits with 1 when something is bad.
    """
    found: list[Finding] = []
    with words.working("checking this machine", logged=False):
        from normlaw.verbs.doctor import examined

        for finding in examined(*architectures, tracking_uri=tracking_uri):
            found.append(finding)
            if not as_json:
                show(finding)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    if any(finding.state == "bad" for finding in found):
        raise click.exceptions.Exit(1)


def show(finding: Finding) -> None:
    """Print what was found, without secrets and control characters; a line of its own each."""
    from normlaw.base.redaction import printable

    advice = f" -> {finding.advice}" if finding.advice else ""
    head = f"{finding.state:<9} {finding.check}"
    say(beside(head, printable(finding.said + advice), room(sys.stdout), COLUMN), colours=COLOURS)
