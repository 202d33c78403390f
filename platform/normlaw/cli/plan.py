"""`normlaw plan`: which further runs narrow the interval of gamma_pred most for what they cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.responses import response_options
from normlaw.cli.saying import say
from normlaw.cli.source_options import protocol_options, tracking_uri_option
from normlaw.study.protocol_choice import parse_settings

if TYPE_CHECKING:
    from normlaw.verbs.plan import Planned


@click.command()
@click.argument("study", shell_complete=complete.study)
@click.option(
    "--budget",
    metavar="TIME",
    help="Core-hours that the plan may cost, such as 10h, 90min or 2d; with it a study file is written.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the study file is written; default: ./STUDY-plan.yaml.",
)
@click.option(
    "--train-size",
    "train_sizes",
    type=float,
    multiple=True,
    metavar="P",
    help="A train size that may be added; repeatable. Default: between any two, half the smallest, twice the "
    "largest.",
)
@click.option(
    "--norm",
    shell_complete=complete.norm,
    help="Complexity measure to read the laws in; default: the study's own.",
)
@tracking_uri_option
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the results here, `-` for standard output instead of tables.",
)
@protocol_options
@response_options
def plan(
    study: str,
    budget: str | None,
    out: Path | None,
    train_sizes: tuple[float, ...],
    norm: str | None,
    tracking_uri: str | None,
    json_file: Path | None,
    settings: tuple[str, ...],
    **choices: Any,
) -> None:
    """Say which further runs of STUDY narrow the interval of gamma_pred most for each core-hour.

    More seeds, other train sizes, longer training, more measuring points: what each is expected to bring, by
    the fitted model, and what it costs, by what the finished runs took. With --budget a study file is written
    that `normlaw run` takes: the finished runs, which it does not train again, and those of the plan.

    \b
    normlaw plan quickstart --budget 10min
    normlaw run quickstart-plan.yaml
    """
    if out is not None and budget is None:
        raise click.UsageError("--out is where the plan is written: give its --budget too")
    with words.working(f"{study}: reading its curves, fitting them", logged=json_file != Path("-")):
        from normlaw.verbs.plan import plan as call

        found = call(
            study,
            budget,
            train_sizes=train_sizes,
            norm=norm,
            tracking_uri=tracking_uri,
            protocol_params=parse_settings(settings, "--set"),
            **choices,
        )
    _show(found, out, json_file)


def _show(found: Planned, out: Path | None, json_file: Path | None) -> None:
    from normlaw.analysis.planning.text import render_outlook
    from normlaw.analysis.prediction_text import broken
    from normlaw.analysis.writing import json_text
    from normlaw.base.files import write_wanted

    if found.study is not None:
        out = out or Path(f"{found.study_name}-plan.yaml")
        write_wanted(out, found.study.to_yaml(compact=True))
    if json_file == Path("-"):
        click.echo(json_text(found.to_dict()), nl=False)
        return
    if json_file is not None:
        write_wanted(json_file, json_text(found.to_dict()))
    for setting, outlook in found.outlooks.items():
        say(f"{found.study_name}{': ' + setting if setting else ''}, norm {found.norm}")
        say(render_outlook(outlook, found.budget))
        for warning in outlook.warnings:
            say("\n".join(broken(f"warning {warning}")))
    for note in found.notes:
        say("\n".join(broken(f"note: {note}")))
    if found.study is not None:
        say(f"\nTrain it with: normlaw run {out}")
