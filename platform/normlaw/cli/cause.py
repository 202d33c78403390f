"""`normlaw cause`: which variable does the error follow in a study's arms?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from normlaw.base.terminal import words
from normlaw.cli.saying import say
from normlaw.cli.source_options import heading, report_options, source_options, the_source

if TYPE_CHECKING:
    from normlaw.analysis.cause import Cause
    from normlaw.analysis.figures.style import Use

COLOURS = {"verdict:": "cyan", "warning": "yellow"}


@click.command()
@source_options
@report_options
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the results here, `-` for standard output instead of tables.",
)
@click.option("--confidence", default=0.95, show_default=True, help="Level of all confidence intervals.")
@click.option(
    "--response",
    type=click.Choice(["test_error", "test_loss"]),
    help="What falls; default: what the study says, else test_error.",
)
@click.option(
    "--floor",
    type=float,
    metavar="VALUE",
    help="What the response is known to be at least: its excess is taken.",
)
def cause(
    study: str | None,
    curves: Path | None,
    norm: str | None,
    tracking_uri: str | None,
    reports: Path,
    figures: Use,
    json_file: Path | None,
    **choices: Any,
) -> None:
    """Say which variable the error follows where arms of STUDY leave one state with one thing changed.

    Norm, scale of the outputs, steps and training loss are compared: how much of what tells arms apart each
    explains for arms that it was not fitted to, alone and beyond the others. Says too what each arm does to the
    error, and how much of a held norm's effect a temperature undoes. The results are logged at MLflow; with
    --curves, of an archive, they are not.
    """
    source = the_source(study, curves)
    found: list[Cause] = []
    with words.working(f"{source}: reading its arms, then comparing them", logged=json_file != Path("-")):
        from normlaw.analysis import Options
        from normlaw.verbs.cause import caused

        try:
            for one in caused(
                source,
                options=Options(**choices),
                norm=norm,
                reports=reports,
                figures=figures,
                tracking_uri=tracking_uri,
            ):
                found.append(one.found)
                if json_file == Path("-"):
                    continue
                say(heading(str(source), one.setting, one.found.norm))
                say(one.found.summary(), colours=COLOURS)
                say(f"Tables and figures: {one.folder}")
                if one.run_id is not None:
                    say(f"MLflow run {one.run_id}")
                say("")
        finally:  # settings that hold too little come last
            if found:
                _save_json(found, json_file)


def _save_json(found: list[Cause], path: Path | None) -> None:
    """Write one setting as an object, several as a list."""
    if path is None:
        return
    from normlaw.analysis.writing import json_text
    from normlaw.base.files import write_wanted

    text = json_text(found[0].to_dict() if len(found) == 1 else [one.to_dict() for one in found])
    if path == Path("-"):
        click.echo(text, nl=False)
    else:
        write_wanted(path, text)
