"""`normlaw analyse`: fit the laws to a study's curves, or to those of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.responses import response_options
from normlaw.cli.saying import COLOURS, HELD, say
from normlaw.cli.source_options import heading, protocol_options, report_options, source_options, the_source
from normlaw.study.collapse_choice import ABSCISSAS
from normlaw.study.protocol_choice import parse_settings

if TYPE_CHECKING:
    from normlaw.analysis import Analysis
    from normlaw.analysis.figures.style import Use
    from normlaw.analysis.scaling_collapse import ScalingCollapse


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
@report_options
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
    "--collapse",
    type=click.Choice(list(ABSCISSAS)),
    help="Compare normalised curves with the noise floor of their seeds, on this abscissa.",
)
@click.option(
    "--collapse-over",
    metavar="PARAMETER",
    help="What holds the sizes of that comparison, such as architecture.hidden; default: the study's, else "
    "train_size.",
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
    with words.working(f"{source}: reading its curves, then fitting them"):
        from normlaw.analysis import Options, render
        from normlaw.analysis.curves_file import DEFAULT_MEASURE
        from normlaw.verbs._collapse_run import Collapsed
        from normlaw.verbs._compared import Compared
        from normlaw.verbs.analyse import analysed

        options = Options(protocol_params=parse_settings(settings, "--set"), **choices)
        analyses: list[Analysis] = []
        collapses: list[ScalingCollapse] = []
        try:
            for found in analysed(
                source, norm=norm, options=options, reports=reports, figures=figures, tracking_uri=tracking_uri
            ):
                if isinstance(found, Compared):
                    say(found.text)
                elif isinstance(found, Collapsed):
                    say(heading(str(source), found.setting, DEFAULT_MEASURE))
                    say(found.found.summary(), colours=COLOURS)
                    collapses.append(found.found)
                else:
                    say(heading(str(source), found.setting, found.norm))
                    colour = HELD.get(found.analysis.findings.verdict or "")
                    colours = {**COLOURS, "verdict:": colour} if colour else COLOURS
                    say(render(found.analysis), colours=colours)
                    analyses.append(found.analysis)
                say(f"Tables and figures: {found.folder}")
                if found.run_id is not None:
                    say(f"MLflow run {found.run_id}")
        finally:  # settings that cannot be fitted come last
            if analyses or collapses:
                _save_json([*analyses, *collapses], json_file)


def _save_json(found: list[Analysis | ScalingCollapse], path: Path | None) -> None:
    """Write one analysis as an object, several settings as a list."""
    if path is not None:
        from normlaw.analysis import write_json

        write_json(found[0] if len(found) == 1 else found, path)
