"""`normlaw clean`: delete the runs at MLflow that other ones have taken the place of."""

from __future__ import annotations

import sys

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option


@click.command()
@click.argument("studies", nargs=-1, shell_complete=complete.study)
@click.option("--dry-run", is_flag=True, help="Only list them.")
@click.option("--yes", is_flag=True, help="Delete without asking, for scripts.")
@tracking_uri_option
def clean(studies: tuple[str, ...], dry_run: bool, yes: bool, tracking_uri: str | None) -> None:
    """Delete the superseded runs of STUDIES (default: all) at MLflow, after asking.

    Superseded are runs that were done again with all that they measured, failed and killed attempts at runs
    that are finished, and analyses that were made again with the same choices. What the latest analyses used
    is kept. Deleted runs can be restored until `mlflow gc` removes them for good.
    """
    with words.working("looking for superseded runs", logged=False):
        from normlaw.verbs.clean import superseded

        found = list(superseded(studies, tracking_uri))
    kept = [one for _, one in found if one.used_by]
    gone = [(store, one) for store, one in found if not one.used_by]
    for one in kept:
        say(f"kept: {one.study}: {one.run.name} ({one.run.run_id}), used by {one.used_by}")
    for _, one in gone:
        say(f"{one.study}: {one.run.name} ({one.run.run_id}): {one.reason}")
    runs = "1 run" if len(gone) == 1 else f"{len(gone)} runs"
    if not gone or dry_run:
        say(f"{runs} superseded" if gone else "nothing is superseded")
        return
    if not yes:
        if not asks():
            raise click.UsageError(
                f"{runs} would be deleted, and nobody is there to ask: add --yes or --dry-run"
            )
        click.confirm(f"Delete {runs}?", abort=True)
    for store, one in gone:
        store.delete(one)
    say(
        f"{runs} deleted. `mlflow runs restore --run-id ID` brings one back, until `mlflow gc` on the server "
        "removes them for good."
    )


def asks() -> bool:
    """Return whether there is a terminal at which somebody may answer."""
    return sys.stdin.isatty()
