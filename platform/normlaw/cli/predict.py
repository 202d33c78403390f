"""`normlaw predict`: the error at other train sizes and norms, from a fitted model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from normlaw.base.terminal import words
from normlaw.cli.responses import response_options
from normlaw.cli.saying import say
from normlaw.cli.source_options import heading, protocol_options, source_options, the_source
from normlaw.study.protocol_choice import parse_settings

if TYPE_CHECKING:
    from normlaw.verbs.predict import Predicted


@click.command()
@source_options
@click.option(
    "--train-size",
    "train_sizes",
    type=float,
    multiple=True,
    required=True,
    metavar="P",
    help="Number of training examples to predict at, such as 1e6; repeatable.",
)
@click.option(
    "--norm-value",
    "norm_values",
    type=float,
    multiple=True,
    metavar="LAMBDA",
    help="Norm to predict at; repeatable. Without any norm: the least error of each train size.",
)
@click.option(
    "--log-norm",
    "log_norms",
    type=float,
    multiple=True,
    metavar="LN_LAMBDA",
    help="The same as a natural logarithm, for norms that no float holds.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write the results here, `-` for standard output instead of tables.",
)
@protocol_options
@response_options
@click.option(
    "--hold-out",
    type=click.IntRange(min=0),
    help="Score on this many of the largest train sizes, left out in order; 0: no score. "
    "Default: 4, or as many as leave 3 to fit.",
)
def predict(
    study: str | None,
    train_sizes: tuple[float, ...],
    norm_values: tuple[float, ...],
    log_norms: tuple[float, ...],
    curves: Path | None,
    norm: str | None,
    tracking_uri: str | None,
    json_file: Path | None,
    settings: tuple[str, ...],
    hold_out: int | None,
    **choices: Any,
) -> None:
    """Predict the error of STUDY at other train sizes and norms, by the model that a protocol fits.

    Says too how good such predictions have been: the largest train sizes are left out in order and predicted
    from the smaller ones, by the model and by every law of the endpoint that is installed. Nothing is logged.
    """
    source = the_source(study, curves)
    work = f"{source}: reading its curves, then fitting them, and again without the largest sizes"
    with words.working(work, logged=json_file != Path("-")):
        from normlaw.verbs.predict import predict as call

        found = call(
            source,
            train_sizes,
            norm_values=norm_values,
            log_norms=log_norms,
            norm=norm,
            hold_out=hold_out,
            tracking_uri=tracking_uri,
            protocol_params=parse_settings(settings, "--set"),
            **choices,
        )
    _show(str(source), found, json_file)


def _show(source: str, found: list[Predicted], json_file: Path | None) -> None:
    from normlaw.analysis.prediction_text import render_prediction
    from normlaw.analysis.writing import json_text

    content = [one.to_dict() for one in found]
    text = json_text(content[0] if len(content) == 1 else content)
    if json_file == Path("-"):
        click.echo(text, nl=False)
        return
    if json_file is not None:
        from normlaw.base.files import write_wanted

        write_wanted(json_file, text)
    for one in found:
        say(heading(source, one.setting, one.norm))
        say(render_prediction(one.prediction))
