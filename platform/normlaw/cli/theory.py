"""`normlaw theory`: exact learning curves of a solvable model, as a table or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from normlaw.base.files import write_wanted
from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from normlaw_registry import Prediction, Theory

MOST_VALUES = 100_000


def numbers(_ctx: click.Context, _param: click.Parameter, value: str) -> list[float]:
    """Return the values of `A,B,C`, in the order given; an item `A:B:N` stands for N log-spaced ones."""
    from math import isfinite

    found: list[float] = []
    for item in value.split(","):
        try:
            if ":" in item:
                first, last, count = item.split(":")
                values = log_spaced(float(first), float(last), int(count))
            else:
                values = [float(item)]
        except ValueError:
            values = []
        if not values or not all(isfinite(number) for number in values):
            raise click.BadParameter(
                f"{item!r} is neither a number nor A:B:N (N log-spaced values from A > 0 to B); "
                "write for example 0.5,1,2 or 0.01:100:60"
            )
        found += values
        if len(found) > MOST_VALUES:
            raise click.BadParameter(f"more than {MOST_VALUES} values")
    return found


def log_spaced(first: float, last: float, count: int) -> list[float]:
    """Return `count` values from `first` to `last`, both exact; ValueError when they cannot be log-spaced."""
    from math import exp, log

    if not 2 <= count <= MOST_VALUES:
        raise ValueError(count)
    low, high = log(first), log(last)
    inner = [exp(low + (high - low) * i / (count - 1)) for i in range(1, count - 1)]
    return [first, *inner, last]


@click.command()
@click.argument("name", shell_complete=complete.component("Theory"))
@click.option(
    "--alpha", callback=numbers, required=True, help="Loads P/N: numbers, or A:B:N for N log-spaced ones."
)
@click.option(
    "--lambda", "norms", callback=numbers, required=True, help="Norms lambda, written in the same way."
)
@click.option(
    "--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter of the theory; repeatable."
)
@click.option(
    "--study",
    shell_complete=complete.study,
    help="Log the curves to MLflow, as runs of the study of this name.",
)
@click.option(
    "--dimension",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="With --study: N, which makes train_size = alpha N; that of the runs to compare with.",
)
@tracking_uri_option
@click.option("--json", "target", metavar="FILE", help="Write a JSON list to FILE ('-': standard output).")
def theory(
    name: str,
    alpha: list[float],
    norms: list[float],
    params: tuple[str, ...],
    study: str | None,
    dimension: int,
    tracking_uri: str | None,
    target: str | None,
) -> None:
    """Print the exact learning curves of the theory NAME (see `normlaw plugins`).

    \b
    normlaw theory perceptron --alpha 0.5,1,2 --lambda 0.01:100:60
    normlaw theory perceptron --alpha 8 --lambda 1 --param loss=square --json -

    JSON: one object for each pair, alphas outermost, with the keys alpha, lambda, error and the theory's order
    parameters. A value that float64 cannot hold is null; the perceptron gives ln_chi beside chi for that.

    With --study each load becomes a run of kind `theory`, and `normlaw analyse STUDY` fits its laws and sets
    trained curves against it.
    """
    from normlaw_registry import InputError

    values: dict[str, Any] = {}
    for param in params:
        key, equals, value = param.partition("=")
        if not equals or not key:
            raise InputError(f"--param {param!r}: write KEY=VALUE, such as loss=square")
        values[key] = value
    if target is not None and target != "-":
        require_writable(target)
    with words.working(f"solving {name} at {len(alpha)} loads and {len(norms)} norms", logged=False):
        from normlaw.verbs.theory import as_rows, solved

        found = solved(
            name, alpha, norms, params=values, study=study, dimension=dimension, tracking_uri=tracking_uri
        )
    if study is not None:
        say(f"{study}: {found.logged} theory curves logged, {found.there} already there")
    elif target is None:
        say("\n".join(table(found.theory, found.predictions)))
    if target == "-":
        click.echo(json.dumps(as_rows(found.predictions), indent=1, allow_nan=False))
    elif target is not None:
        write_wanted(Path(target), json.dumps(as_rows(found.predictions), indent=1, allow_nan=False) + "\n")


def table(component: Theory, predictions: Sequence[Prediction]) -> list[str]:
    """Return the predictions, and below them the errors to compare with at each load, as aligned columns."""
    from normlaw.verbs.theory import as_rows

    rows = as_rows(predictions)
    lines = columns([list(rows[0]), *([shown(value) for value in row.values()] for row in rows)])
    if component.references:
        alphas = list(dict.fromkeys(prediction.alpha for prediction in predictions))
        names = list(component.references)
        lines += ["", "Errors to compare with:"]
        lines += columns(
            [
                ["alpha", *names],
                *([shown(a), *(shown(component.references[name](a)) for name in names)] for a in alphas),
            ]
        )
    return lines


def columns(cells: list[list[str]]) -> list[str]:
    """Return rows of cells as lines, every column aligned to the right."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def shown(value: float | None) -> str:
    """Return a number to eight significant digits, and a dash for what float64 cannot hold."""
    return "-" if value is None else f"{value:.8g}"


def require_writable(target: str) -> None:
    """Refuse a file that could not be written, before any work is done for it."""
    import os

    from normlaw_registry import InputError

    path = Path(target)
    if path.is_dir():
        raise InputError(f"cannot write {target!r}: it is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise InputError(f"cannot write {target!r}: there is no folder {str(path.parent)!r}; create it first")
    if not os.access(path.absolute().parent, os.W_OK):
        raise InputError(f"cannot write {target!r}: no permission to write in {str(path.absolute().parent)!r}")
