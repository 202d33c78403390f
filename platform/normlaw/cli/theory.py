"""`normlaw theory`: exact learning curves of a solvable model, as a table or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.saying import say
from normlaw.cli.source_options import tracking_uri_option
from normlaw.cli.theory_text import listing, table
from normlaw.study.pairs import pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from normlaw.verbs.theory import Solved

MOST_VALUES = 100_000
FIGURES = (".png", ".svg", ".pdf")
"""Endings of a figure's file."""


def numbers(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[float] | None:
    """Return the values of `A,B,C`, in the order given; an item `A:B:N` stands for N log-spaced ones."""
    return None if value is None else values_of(value)


def values_of(text: str, *, infinite: bool = False) -> list[float]:
    """Return the values that a text lists; with `infinite`, `inf` may be one of them.

    Raises:
        BadParameter: an item is no value, or there are too many.

    """
    from math import isfinite

    found: list[float] = []
    for item in text.split(","):
        try:
            if ":" in item:
                first, last, count = item.split(":")
                values = log_spaced(float(first), float(last), int(count))
            else:
                values = [float(item)]
        except (ValueError, OverflowError):
            values = []
        if not values or not all(isfinite(number) or (infinite and item == "inf") for number in values):
            raise click.BadParameter(
                f"{item!r} is neither a number nor A:B:N (N log-spaced values from A > 0 to B); "
                "write for example 0.5,1,2 or 0.01:100:60"
            )
        found += values
        if len(found) > MOST_VALUES:
            raise click.BadParameter(f"more than {MOST_VALUES} values")
    return found


def axes_of(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, list[float]]:
    """Return axis -> values of `NAME=VALUES`, each axis once."""
    written = pairs(values, "--axis", "time=1:1000:30", form="NAME=VALUES")
    return {name: values_of(text, infinite=True) for name, text in written.items()}


def log_spaced(first: float, last: float, count: int) -> list[float]:
    """Return `count` values from `first` to `last`, both exact; ValueError when they cannot be log-spaced."""
    from math import exp, log

    if not 2 <= count <= MOST_VALUES:
        raise ValueError(count)
    low, high = log(first), log(last)
    inner = [exp(low + (high - low) * i / (count - 1)) for i in range(1, count - 1)]
    return [first, *inner, last]


@click.command()
@click.argument("name", required=False, shell_complete=complete.component("Theory"))
@click.option(
    "--axis",
    "axes",
    multiple=True,
    metavar="NAME=VALUES",
    callback=axes_of,
    help="Values of an axis: numbers, or A:B:N for N log-spaced ones; inf where a theory takes it. Repeatable.",
)
@click.option(
    "--set",
    "--param",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the theory; repeatable.",
)
@click.option("--alpha", callback=numbers, help="The same as --axis alpha=..., of a theory of load and norm.")
@click.option("--lambda", "norms", callback=numbers, help="The same as --axis lambda=...")
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
    help="With --study and loads: N, which makes train_size = alpha N; that of the runs to compare with.",
)
@tracking_uri_option
@click.option("--json", "target", metavar="FILE", help="Write a JSON list to FILE ('-': standard output).")
@click.option("--figure", metavar="FILE", help="Draw the curves to FILE: .png, .svg or .pdf.")
@click.option(
    "--x", metavar="NAME", help="With --figure: an axis or observable to draw against; default: the last axis."
)
@click.option("--y", metavar="NAME", help="With --figure: the observable to draw; default: the first.")
def theory(
    name: str | None,
    axes: dict[str, list[float]],
    params: tuple[str, ...],
    alpha: list[float] | None,
    norms: list[float] | None,
    study: str | None,
    dimension: int,
    tracking_uri: str | None,
    target: str | None,
    figure: str | None,
    x: str | None,
    y: str | None,
) -> None:
    """Print the exact learning curves of the theory NAME; without NAME, what theories there are.

    \b
    normlaw theory
    normlaw theory perceptron --axis alpha=1,2 --axis lambda=0.01:100:60
    normlaw theory perceptron --axis alpha=8 --axis lambda=1 --json -
    normlaw theory two_layer --axis alpha=0.1:1000:40 --figure errors.svg

    JSON: one object for each combination, the first axis outermost, whose keys are the theory's axes and
    observables. What float64 cannot hold is null, an infinite value of an axis "inf". With --alpha and --lambda
    the error is called `error`.

    With --study each curve along the last axis becomes a run of kind `theory`, and `normlaw analyse STUDY` fits
    its laws and sets trained curves against it.
    """
    if name is None:
        if (
            axes
            or params
            or alpha
            or norms
            or any(value is not None for value in (study, target, figure, x, y))
        ):
            refuse("name a theory; `normlaw theory` alone lists them")
        listing()
        return
    settings = pairs(params, "--set", "loss=square")
    former = alpha is not None or norms is not None
    if former and axes:
        refuse("give either --axis for every axis, or --alpha and --lambda")
    check_figure(figure, x, y)
    if target is not None and target != "-":
        require_writable(target)
    given = {axis: of for axis, of in (("alpha", alpha), ("lambda", norms)) if of is not None}
    asked: Mapping[str, Sequence[float]] = given if former else axes
    sizes = " and ".join(f"{len(values)} values of {axis}" for axis, values in asked.items())
    with words.working(f"solving {name} at {sizes or 'no values'}", logged=False):
        from normlaw.verbs.theory import solved

        found = solved(
            name,
            asked,
            params=settings,
            study=study,
            dimension=dimension,
            tracking_uri=tracking_uri,
            former=former,
        )
    if study is not None:
        say(f"{study}: {found.logged} theory curves logged, {found.there} already there")
    elif target is None and figure is None:
        say("\n".join(table(found)))
    if target is not None:
        write_json(found, target)
    if figure is not None:
        write_figure(found, Path(figure), x, y)


def write_json(found: Solved, target: str) -> None:
    """Write the rows to a file, or to standard output for '-'."""
    text = json.dumps(found.rows, indent=1, allow_nan=False)
    if target == "-":
        click.echo(text)
        return
    from normlaw.base.files import write_wanted

    write_wanted(Path(target), text + "\n")


def check_figure(figure: str | None, x: str | None, y: str | None) -> None:
    """Refuse, before anything is solved, a figure that could not be written."""
    if figure is None:
        if x is not None or y is not None:
            refuse("--x and --y say what a figure shows: name its file with --figure")
        return
    if Path(figure).suffix not in FIGURES:
        refuse(f"--figure {figure}: a figure's file ends in {', '.join(FIGURES)}")
    require_writable(figure)


def write_figure(found: Solved, path: Path, x: str | None, y: str | None) -> None:
    """Draw what was solved to a file, and say so."""
    with words.working("drawing", logged=False):
        from normlaw.analysis.figures.style import file_of
        from normlaw.base.files import write_wanted
        from normlaw.verbs.theory_figure import draw

        write_wanted(path, file_of(draw(found, x, y), path.suffix[1:]))
    say(f"Figure: {path}")


def refuse(message: str) -> NoReturn:
    """Raise an InputError, imported here so that no command waits for it."""
    from normlaw_registry import InputError

    raise InputError(message)


def require_writable(target: str) -> None:
    """Refuse a file that could not be written, before any work is done for it."""
    import os

    path = Path(target)
    if path.is_dir():
        refuse(f"cannot write {target!r}: it is a folder; name a file")
    if not path.absolute().parent.is_dir():
        refuse(f"cannot write {target!r}: there is no folder {str(path.parent)!r}; create it first")
    if not os.access(path.absolute().parent, os.W_OK):
        refuse(f"cannot write {target!r}: no permission to write in {str(path.absolute().parent)!r}")
