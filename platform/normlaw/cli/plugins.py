"""`normlaw plugins`: what is installed, from which distribution, and what failed and why."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from normlaw.base.terminal import beside, room, words
from normlaw.cli.listing import WholeSentences
from normlaw.cli.saying import say
from normlaw_registry.host.kinds import KINDS

if TYPE_CHECKING:
    from normlaw_registry import Catalogue, Component
    from normlaw_registry.host import PluginRecord

COLOURS = {"  failed": "red", "  slow": "yellow", "claimed twice": "red"}
SUMMARIES = 50
"""Column in which summaries begin, where there is room."""


@click.group(cls=WholeSentences, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """Show the installed plugins and their components; failures with their reasons."""
    if ctx.invoked_subcommand is None:
        show(as_json)


@plugins.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_plugins(as_json: bool) -> None:
    """Show the installed plugins (the same as `normlaw plugins`)."""
    show(as_json)


@plugins.command()
@click.argument("name")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.option for kind in KINDS]),
    metavar="KIND",
    multiple=True,
    required=True,
    help=f"What it provides; repeatable: {', '.join(kind.option for kind in KINDS)}.",
)
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Folder in which the package's folder is made; default: here.",
)
def new(name: str, kinds: tuple[str, ...], into: Path) -> None:
    """Write a plugin of your own: a package with a working example, its tests and a README.

    \b
    normlaw plugins new my-norm --kind complexity-measure
    """
    from normlaw.verbs.new_plugin import new_plugin

    folder = new_plugin(name, kinds, folder=into)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        say(f"  {file}")
    say(f"Install it: pip install -e '{folder}[test]'; test it: cd {folder} && python -m pytest")


def show(as_json: bool) -> None:
    """Print the catalogue; exit with 1 when a plugin failed or two claim one name."""
    from normlaw.verbs.plugins import as_dict
    from normlaw_registry import load_catalogue

    with words.working("loading the plugins", logged=False):
        catalogue = load_catalogue()
    if as_json:
        click.echo(json.dumps(as_dict(catalogue), indent=2))
    else:
        say("\n".join(as_lines(catalogue)), colours=COLOURS)
    if any(record.failure for record in catalogue.records) or catalogue.duplicates():
        raise click.exceptions.Exit(1)


def as_lines(catalogue: Catalogue) -> list[str]:
    """Return the catalogue as lines to be read: a heading per plugin, a component each below it."""
    from normlaw.base.redaction import printable

    lines: list[str] = []
    width = room(sys.stdout)
    for record in catalogue.records:
        built_for = f"  for {record.requires}" if record.requires else ""
        lines.append(f"{record.distribution} {record.version}  {record.module}{built_for}")
        if record.failure:
            lines.append(beside("  failed", printable(record.failure), width))
        if record.is_slow:
            lines.append(beside("  slow", slowness(record), width, 10))
        lines += [
            beside(f"  {c.kind:<18} {c.name}", f"{printable(c.summary)}{limits(c)}", width, SUMMARIES)
            for c in record.components
        ]
    for (kind, name), records in catalogue.duplicates().items():
        lines.append(f"claimed twice  {kind} {name!r} by:")
        lines += [f"  - {record.provider}" for record in records]
    return lines


def slowness(record: PluginRecord) -> str:
    """Return what a slow plugin costs, and what can be done."""
    return (
        f"{record.seconds:.1f} s to load, which every command waits for that looks a component up: import "
        "torch and the like inside the functions that need them, or leave it out by NORMLAW_PLUGINS"
    )


def limits(component: Component) -> str:
    """Return where a component works, if not everywhere, and whether it is the default: ' (cpu only)'."""
    declared = (component.devices, component.dtypes)
    parts = [f"{', '.join(names)} only" for names in declared if names is not None]
    parts += ["default"] if getattr(component, "by_default", False) else []
    return f" ({'; '.join(parts)})" if parts else ""
