"""`normlaw export`: a study's curves and laws as files for other programs and for papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.responses import response_options
from normlaw.cli.saying import say
from normlaw.cli.source_options import protocol_options, tracking_uri_option
from normlaw.study.protocol_choice import parse_settings

FORMATS = ("csv", "parquet", "latex", "pdf")


@click.command()
@click.argument("study", shell_complete=complete.study)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Folder to write, all of it or nothing; default: export/STUDY. An earlier export is replaced.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    default=FORMATS,
    help="What to write, repeatable; default: all. latex: tables; pdf: figures of a column's width.",
)
@click.option(
    "--norm",
    shell_complete=complete.component("ComplexityMeasure"),
    help="Complexity measure to read the laws in; default: the study's own.",
)
@tracking_uri_option
@protocol_options
@response_options
def export(
    study: str,
    to: Path | None,
    formats: tuple[str, ...],
    norm: str | None,
    tracking_uri: str | None,
    settings: tuple[str, ...],
    **choices: Any,
) -> None:
    """Write the curves and laws of STUDY as files for other programs and for papers.

    Curves and tables as CSV and Parquet, LaTeX tables (booktabs), figures as PDF. The laws are fitted as
    `normlaw analyse` fits them with the same options; nothing is logged.
    """
    with words.working(f"{study}: reading its curves, then fitting them"):
        from normlaw.analysis import Options
        from normlaw.verbs.export import exported

        options = Options(protocol_params=parse_settings(settings, "--set"), **choices)
        found = exported(study, to, formats, norm, options, tracking_uri)
    for setting, reason in found.missing.items():
        say(f"warning no law was fitted{f' to {setting}' if setting else ''}: {reason}", err=True)
    say(f"{found.folder}: {len(found.files)} files")
