"""`normlaw archive`: a study as one file that a paper can cite."""

from __future__ import annotations

from pathlib import Path

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import WARNING, say
from normlaw.cli.source_options import tracking_uri_option


@click.command()
@click.argument("study", shell_complete=complete.study)
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; default: STUDY.normlaw.zip. An earlier archive is replaced.",
)
@click.option(
    "--citation",
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML file with title, authors (name, affiliation, orcid), licence, doi, abstract, keywords.",
)
@click.option("--title", help="Title; it goes over the file's, as do those below.")
@click.option("--author", "authors", multiple=True, metavar="'FAMILY, GIVEN'", help="Author; repeatable.")
@click.option("--licence", help="Licence of the data, an SPDX expression such as CC-BY-4.0.")
@click.option("--doi", help="DOI, such as 10.5281/zenodo.1234.")
@tracking_uri_option
def archive(
    study: str,
    to: Path | None,
    citation: Path | None,
    title: str | None,
    authors: tuple[str, ...],
    licence: str | None,
    doi: str | None,
    tracking_uri: str | None,
) -> None:
    """Write STUDY as one file that a paper can cite.

    Curves (Parquet), specifications, versions, the latest analyses with their figures, CITATION.cff, Zenodo's
    metadata and a manifest with checksums. `normlaw analyse --curves FILE` and `normlaw import FILE` read it
    back. The same study gives the same bytes.
    """
    with words.working(f"{study}: reading its curves and findings"):
        from normlaw.verbs.archive import archive as write

        made = write(
            study,
            to,
            citation=citation,
            title=title,
            authors=authors,
            licence=licence,
            doi=doi,
            tracking_uri=tracking_uri,
        )
    if not made.findings:
        say(f"{WARNING} no findings: `normlaw analyse {study}` first puts them in", err=True)
    count = len(made.findings)
    what = f"{made.runs} runs, {count} {'analysis' if count == 1 else 'analyses'}, {made.bytes:,} bytes"
    say(f"{made.path}: {what}")
