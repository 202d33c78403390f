"""`normlaw import`: log curves that were measured elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import WARNING, say
from normlaw.cli.source_options import tracking_uri_option

if TYPE_CHECKING:
    from normlaw.elsewhere.sources import Kind


@click.command(name="import")
@click.argument("source", type=click.Path())
@click.option(
    "--study",
    required=True,
    shell_complete=complete.begun,
    help="Study to log them into; made when there is none.",
)
@click.option(
    "--from",
    "kind",
    type=click.Choice(["table", "archive", "tensorboard", "lightning", "mlflow", "store"]),
    help="What SOURCE is; default: found out. `mlflow`: anyone's runs; `store`: normlaw's own.",
)
@click.option("--experiment", help="Of an MLflow store, the experiment; default: the one called as the study.")
@click.option(
    "--take",
    multiple=True,
    metavar="NAME=OTHER",
    help="What another program calls what normlaw needs, such as 'test/error=1 - val_acc'; repeatable.",
)
@click.option(
    "--take-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The same as a YAML file; --take goes over it.",
)
@tracking_uri_option
def import_curves(
    source: str,
    study: str,
    kind: Kind | None,
    experiment: str | None,
    take: tuple[str, ...],
    take_file: Path | None,
    tracking_uri: str | None,
) -> None:
    """Log the learning curves of SOURCE into a study, as runs of kind `imported`.

    SOURCE is a CSV or Parquet file with the columns train_size, log_norm (natural log), test_error (fraction)
    or test_loss; optionally seed, step, alpha, measure. Or with those that `normlaw.curves` and `normlaw
    export` write: log_norm/MEASURE for each measure, test/error, test/loss, and the parameters in which the
    curves differ. With --take it may call them otherwise (`--take step=iteration` too).

    Or it is what another program logged: a folder of TensorBoard's event files or of Lightning's CSVLogger, or
    an MLflow store (a URI, or an SQLite file) with --experiment. --take says what it calls train_size, seed,
    test/error, test/loss and log_norm/MEASURE: NAME, 1 - NAME, NAME / 100, 1 - NAME / 100, log(NAME) or
    log(10) * NAME. `--take names=P{train_size}_seed{seed}` reads them off the runs' names.

    Or an archive that `normlaw archive` wrote, or a study at another MLflow server: their runs are copied as
    they are. Nothing is doubled, however often it is imported.
    """
    with words.working(f"{study}: reading {source}"):
        from normlaw.elsewhere.taking import read_taking
        from normlaw.study.pairs import pairs
        from normlaw.verbs.import_curves import import_curves as log

        on_the_line = pairs(take, "--take", "test/error=val_error", form="NAME=OTHER")
        said = {**(read_taking(take_file) if take_file else {}), **on_the_line}
        found = log(
            source, study, kind=kind, experiment=experiment, take=said or None, tracking_uri=tracking_uri
        )
    logged, there = found
    for note in found.notes:
        say(f"{WARNING} {note}", err=True)
    say(f"{study}: {logged} curves logged, {there} already there. Fit them: normlaw analyse {study}")
