"""`normlaw report`: studies beside each other and beside the published values."""

from __future__ import annotations

from pathlib import Path

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option


@click.command()
@click.argument("studies", nargs=-1, shell_complete=complete.study)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("reports/comparison.html"),
    show_default=True,
    help="The page to write.",
)
@tracking_uri_option
def report(studies: tuple[str, ...], page: Path, tracking_uri: str | None) -> None:
    """Compare the latest analyses of STUDIES (default: all) with each other and with the paper's table."""
    with words.working("reading the latest analyses"):
        from normlaw.verbs.report import report as write

        names = write(*studies, page=page, tracking_uri=tracking_uri)
    analyses = "1 analysis" if len(names) == 1 else f"{len(names)} analyses"
    say(f"{page}: {analyses}: {', '.join(names)}")
