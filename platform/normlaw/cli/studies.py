"""`normlaw studies`: the studies that come with normlaw, and what they cost."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from normlaw.base.terminal import beside, room, words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import set_option


@click.command()
@click.argument("names", metavar="[STUDY]...", nargs=-1, shell_complete=complete.study)
@click.option("--time", "timed", is_flag=True, help="Estimate hours on this machine, by timing a few steps.")
@click.option("--show", is_flag=True, help="Print the one STUDY named as a file: whole, whatever it extends.")
@click.option("--scale", shell_complete=complete.scale, help="With --show: the variant of this name.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def studies(
    names: tuple[str, ...],
    timed: bool,
    show: bool,
    scale: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """List the shipped studies, or the STUDYs named, with each of their scales.

    The cost of each is its number of runs and of optimiser steps, all runs together. With --time also the
    hours that it would take here with one run on each core, from a timing of some seconds a study.
    """
    if show:
        _show(names, scale, settings)
        return
    if scale is not None or settings:
        raise click.UsageError("--scale and --set belong to --show here")
    found, lines = [], []
    doing = "timing a few steps of each" if timed else "reading the studies"
    with words.working(doing, logged=False):
        from normlaw.verbs.studies import rows

        for row in rows(names, time=timed):
            found.append(row)
            lines.append(_line(row, timed, header=len(found) == 1))
            if timed and not as_json:  # each takes seconds
                say(lines.pop())
    if lines and not as_json:
        say("\n".join(lines))
    if as_json:
        click.echo(json.dumps(found, indent=2))


def _show(names: tuple[str, ...], scale: str | None, settings: tuple[str, ...]) -> None:
    from normlaw.study.overrides import parse_overrides
    from normlaw.verbs.load_study import loaded

    if len(names) != 1:
        raise click.UsageError("--show takes one STUDY")
    study = loaded(names[0], scale, parse_overrides(settings, "--set"), "--set")
    click.echo(study.to_yaml(compact=True), nl=False)


def _line(row: dict[str, Any], timed: bool, header: bool) -> str:
    name = row["name"] + (f" --scale {row['scale']}" if row["scale"] else "")
    hours = ("?" if row["hours"] is None else f"{row['hours']:,.2f}") if timed else ""
    line = f"{name:<38}  {row['runs']:>5,}  {row['steps']:>12,}" + (f"  {hours:>9}" if timed else "")
    title = f"{'study':<38}  {'runs':>5}  {'steps':>12}" + (f"  {'hours':>9}" if timed else "")
    width = room(sys.stdout)
    lines = [beside(title, "description", width)] if header else []
    return "\n".join([*lines, beside(line, " ".join(str(row["description"]).split()), width)])
