"""`normlaw analyse`: fit the laws to a study's curves, or to those of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from normlaw.cli import complete
from normlaw.cli.responses import response_options
from normlaw.cli.source_options import protocol_options, source_options, the_source
from normlaw.study.protocol_choice import parse_settings

if TYPE_CHECKING:
    from normlaw.analysis import Analysis, Options
    from normlaw.analysis.figures.style import Use


class Bound(click.ParamType):  # type: ignore[type-arg]
    """A limit of lambda/lambda_opt, or `none` for an open side."""

    name = "bound"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Return the limit."""
        if value is None or isinstance(value, float):
            return value
        if str(value).lower() == "none":
            return None
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor 'none'", param, ctx)


@click.command()
@source_options
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder for tables and figures, besides MLflow.",
)
@click.option(
    "--figures",
    type=click.Choice(["page", "paper"]),
    default="page",
    show_default=True,
    help="page: across a page, as SVG and PNG; paper: as PDF too, and as wide as a column of print.",
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the results here too."
)
@protocol_options
@response_options
@click.option(
    "--window",
    nargs=2,
    type=Bound(),
    metavar="LEFT RIGHT",
    help="The protocol's `window`: limits of lambda/lambda_opt in the early fit; 'none' leaves a side open.",
)
@click.option("--first-index", type=int, help="The protocol's `first_index`: early fit from this one on.")
@click.option(
    "--gamma2-first-index",
    type=int,
    help="The protocol's `gamma2_first_index`: gamma_2 from this train size on.",
)
@click.option("--offsets", is_flag=True, help="The protocol's `offsets`: fit q1, q2 and compare with none.")
@click.option("--draws", type=int, help="The protocol's `draws`: how many the bootstrap makes.")
@click.option("--bootstrap-seed", type=int, help="The protocol's `bootstrap_seed`.")
@click.option("--hold-out", default=0, help="Score every endpoint law on this many of the largest train sizes.")
@click.option("--predict-at", type=int, multiple=True, help="Predict the least error at this P; repeatable.")
@click.option(
    "--compare-norms",
    is_flag=True,
    help="Say in which norm, or whether in steps, epochs or training loss, the curves lie on one envelope.",
)
@click.option(
    "--fitter",
    "fitters",
    multiple=True,
    metavar="NAME[:KEY=VALUE,...]",
    shell_complete=complete.component("Fitter"),
    help="Fit its law by this fitter too, with these parameters; repeatable.",
)
def analyse(
    study: str | None,
    curves: Path | None,
    norm: str | None,
    tracking_uri: str | None,
    reports: Path,
    figures: Use,
    json_file: Path | None,
    settings: tuple[str, ...],
    **choices: Any,
) -> None:
    """Fit the laws of STUDY, an experiment at the MLflow server, and log the result there.

    With --curves, fit those of a CSV file instead and write tables and figures only.
    """
    source = the_source(study, curves)
    from normlaw.analysis import Options

    options = Options(protocol_params=parse_settings(settings, "--set"), **choices)
    if isinstance(source, str):
        _of_study(source, norm, options, tracking_uri, reports, figures, json_file)
    else:
        _of_file(source, norm, options, reports, figures, json_file)


def _of_file(
    curves: Path, norm: str | None, options: Options, reports: Path, figures: Use, json_file: Path | None
) -> None:
    from normlaw.analysis import (
        About,
        NotFittedError,
        analyse,
        command_line,
        of_response,
        render,
        write,
        write_unfitted,
    )
    from normlaw.analysis.curves import restricted
    from normlaw.analysis.curves_file import DEFAULT_MEASURE, read_curves_file, read_every_measure
    from normlaw_registry import InputError, load_catalogue

    points, chosen = read_curves_file(curves, norm, options.measured)
    whole = read_every_measure(curves, options.measured) if options.compare_norms else None
    whole = None if whole is None else restricted(whole, options, chosen)
    folder = reports / curves.stem
    about = About(
        title=f"Laws of {curves.name}{of_response(options)}",
        norm=chosen,
        command=command_line(["--curves", str(curves)], chosen, options),
    )
    try:
        analysis = analyse(points, load_catalogue(), options, whole)
    except NotFittedError as found:
        beside = write_unfitted(found, folder, about, figures)
        raise InputError(f"{curves}: {found.told(beside)}") from found
    write(analysis, folder, about, figures)
    _save_json([analysis], json_file)
    click.echo(f"{curves}, norm {chosen}" if chosen != DEFAULT_MEASURE else str(curves))
    click.echo(render(analysis))
    click.echo(f"Tables and figures: {folder}")


def _of_study(
    study: str,
    norm: str | None,
    options: Options,
    tracking_uri: str | None,
    reports: Path,
    figures: Use,
    json_file: Path | None,
) -> None:
    from normlaw.analysis import render
    from normlaw.verbs.against_theory import compare_study
    from normlaw.verbs.analyse import analyse_study
    from normlaw_registry import load_catalogue

    results = analyse_study(
        study,
        load_catalogue(),
        norm=norm,
        options=options,
        tracking_uri=tracking_uri,
        reports=reports,
        figures=figures,
    )
    analyses = []
    try:
        for result in results:
            setting = ", ".join(f"{key} = {value}" for key, value in result.setting.items())
            click.echo(f"{study}{': ' + setting if setting else ''}, norm {result.norm}")
            click.echo(render(result.analysis))
            click.echo(f"Tables and figures: {result.folder}; MLflow run {result.run_id}")
            analyses.append(result.analysis)
    finally:  # settings that cannot be fitted come last
        if analyses:
            _save_json(analyses, json_file)
    if (compared := compare_study(study, tracking_uri=tracking_uri, reports=reports)) is not None:
        click.echo(compared.text)
        click.echo(f"Tables and figures: {compared.folder}; MLflow run {compared.run_id}")


def _save_json(analyses: list[Analysis], path: Path | None) -> None:
    """Write one analysis as an object, several settings as a list."""
    if path is not None:
        from normlaw.analysis import write_json

        write_json(analyses[0] if len(analyses) == 1 else analyses, path)
