"""`normlaw measure`: the norms of saved weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.argument("target", metavar="MODULE:FUNCTION")
@click.argument(
    "weights", metavar="WEIGHTS [WEIGHTS ...]", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--norm",
    "norms",
    multiple=True,
    required=True,
    shell_complete=complete.norm,
    help="Complexity measure to be taken; repeatable.",
)
@click.option(
    "--train-size",
    type=click.IntRange(min=1),
    help="Number of training examples P, for a file of curves.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="As --train-size.")
@click.option(
    "--errors",
    type=click.Path(path_type=Path),
    help="CSV file with the columns step and test_error or test_loss, which are put beside the norms.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table here instead of to standard output.",
)
def measure(
    target: str,
    weights: tuple[Path, ...],
    norms: tuple[str, ...],
    train_size: int | None,
    seed: int,
    errors: Path | None,
    output: Path | None,
) -> None:
    """Take the norms of saved WEIGHTS, in the order of training, as a CSV table.

    MODULE:FUNCTION (or FILE.py:FUNCTION) returns the model and a batch that it is called with. WEIGHTS are
    files of torch or of safetensors, or folders that transformers has written; nothing in them is executed.
    Their step is the number by which their names differ.

    With --train-size and --errors the table is a file of curves: `normlaw analyse --curves FILE` reads it.
    """
    with words.working(f"taking the norms of {len(weights)} files", logged=False):
        from normlaw.verbs import measure as verb

        table = verb.curves(
            verb.measured(*verb.made(target), weights, measures=list(norms)),
            errors=errors,
            train_size=train_size,
            seed=seed,
            tell=lambda said: say(said, err=True),
        )
    text = _as_csv(table)
    if output is None:
        click.echo(text, nl=False)
    else:
        from normlaw.base.files import write_wanted

        write_wanted(output, text)
        say(f"{output}: {len(table)} norms of {len(weights)} files", err=True)


def _as_csv(table: pd.DataFrame) -> str:
    text: str = table.to_csv(index=False)
    return text
