"""`normlaw import`: log curves that were measured elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option


@click.command(name="import")
@click.argument("curves", type=click.Path(path_type=Path))
@click.option(
    "--study",
    required=True,
    shell_complete=complete.begun,
    help="Study to log them into; made when there is none.",
)
@tracking_uri_option
def import_curves(curves: Path, study: str, tracking_uri: str | None) -> None:
    """Log the learning curves of a CSV file as runs of kind `imported`.

    Columns: train_size, log_norm (natural log), test_error (fraction) or test_loss; optionally seed, step,
    alpha, measure. Or those that `normlaw.curves` and `normlaw export` write: log_norm/MEASURE for each
    measure, test/error, test/loss, and the parameters in which the curves differ.
    """
    with words.working(f"{study}: reading {curves}"):
        from normlaw.verbs.import_curves import import_curves as log

        logged, there = log(curves, study, tracking_uri=tracking_uri)
    say(f"{study}: {logged} curves logged, {there} already there. Fit them: normlaw analyse {study}")
