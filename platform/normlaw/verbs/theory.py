"""`normlaw theory`: exact learning curves of a solvable model, as rows, and logged to MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isinf, prod
from typing import TYPE_CHECKING, Any

from normlaw.study.names import study_name
from normlaw_registry import Axis, Grid, InputError, Params, Theory, load_catalogue, validate_params
from normlaw_registry.errors import brief
from normlaw_registry.theory_axes import own_names

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 100_000
"""Points that one call may ask for: half a minute of work for the perceptron's solver."""
LARGEST_SIZE = 10**12
"""Training examples of a run, as in a study."""

Row = dict[str, float | str | None]
"""A point in JSON's own types: null where float64 cannot hold an observable, "inf" for an infinite axis."""


@dataclass(frozen=True)
class Solved:
    """Exact curves, and what became of them at MLflow."""

    theory: Theory
    params: Params
    points: Sequence[Mapping[str, float]]
    """The axes and observables of each combination, by name."""
    rows: Sequence[Row]
    """The same in JSON's own types."""
    logged: int = 0
    """Curves that were logged."""
    there: int = 0
    """Curves that MLflow had already."""


def theory(
    name: str,
    alphas: Sequence[float] | None = None,
    norms: Sequence[float] | None = None,
    *,
    axes: Grid | None = None,
    params: Mapping[str, Any] | None = None,
    study: str | None = None,
    dimension: int = 1000,
    tracking_uri: str | None = None,
) -> pd.DataFrame:
    """Return exact learning curves of a solvable model, a row a point; `normlaw theory`.

    Args:
        name: of the theory.
        alphas: of a theory of load and norm, the loads P/N; with `norms`, in place of `axes`.
        norms: its norms lambda themselves, not their logs.
        axes: axis -> values, every axis of the theory; all combinations are solved.
        params: its parameters.
        study: log the curves to MLflow too, as runs of the study of this name.
        dimension: with `study` and loads: N, which makes train_size = alpha N.
        tracking_uri: MLflow server.

    Returns:
        A column an axis, then a column an observable. With `alphas` and `norms`: alpha, lambda, the theory's
        order parameters, error.

    Raises:
        InputError: an axis, value or parameter is out of range, or curves cannot be logged as asked.

    """
    import pandas as pd

    if axes is not None and (alphas is not None or norms is not None):
        raise InputError("give either `axes` or `alphas` and `norms`")
    found = solved(
        name,
        load_and_norm(alphas, norms) if axes is None else axes,
        params=params,
        study=study,
        dimension=dimension,
        tracking_uri=tracking_uri,
        former=axes is None,
    )
    return pd.DataFrame(found.rows)


def load_and_norm(alphas: Sequence[float] | None, norms: Sequence[float] | None) -> dict[str, Sequence[float]]:
    """Return the grid of a theory of load and norm; an axis that is not given is left out."""
    given = {"alpha": alphas, "lambda": norms}
    return {name: values for name, values in given.items() if values is not None}


def solved(
    name: str,
    axes: Grid,
    *,
    params: Mapping[str, Any] | None = None,
    study: str | None = None,
    dimension: int = 1000,
    tracking_uri: str | None = None,
    former: bool = False,
) -> Solved:
    """Solve, and log where a study is named; arguments and errors as `theory` has them.

    `former`: rows are named as those of load and norm were at first: the error comes last and is `error`.
    """
    component = load_catalogue().get(Theory, name)
    called = own_names(name, component.axes, axes)
    own = {other: axis for axis, other in called.items()}
    axes = {own.get(axis, axis): values for axis, values in axes.items()}
    checked = validate_params(component, params or {})
    if (count := prod(map(len, axes.values()))) > MOST_POINTS:
        asked = " and ".join(f"{len(values)} values of {axis}" for axis, values in axes.items())
        raise InputError(f"{asked} are {count} points: ask for {MOST_POINTS} at a time at most")
    if study is not None:  # what cannot be logged is told before it is solved
        from normlaw.tracking.client import check

        study_name(study)
        train_sizes(component, axes, dimension)
        check(tracking_uri)
    points = component.points(checked, axes)
    rows = [(former_row if former else row)(component, point) for point in points]
    rows = [{called.get(key, key): value for key, value in one.items()} for one in rows]
    if study is None:
        return Solved(component, checked, points, rows)
    logged, there = log_curves(component, checked, points, study, dimension, tracking_uri)
    return Solved(component, checked, points, rows, logged, there)


def sizes_axis(component: Theory) -> Axis:
    """Return the axis that says how many examples a curve is trained on.

    Raises:
        InputError: there is none.

    """
    for axis in component.axes:
        if axis.role in ("examples", "load"):
            return axis
    raise InputError(
        f"theory {component.name!r} has no axis of examples or loads: its curves cannot be a study's"
    )


def train_sizes(component: Theory, axes: Grid, dimension: int) -> dict[float, int]:
    """Return the number of training examples at each value of the axis of examples or loads.

    Where curves run along that axis, as they do in one pass over the examples, it is the nearest whole number.

    Raises:
        InputError: there is no such axis, or a value is no whole number of examples.

    """
    axis = sizes_axis(component)
    if not 1 <= dimension <= LARGEST_SIZE:
        raise InputError(f"the dimension lies between 1 and 10^12, got {brief(dimension)}")
    factor = dimension if axis.role == "load" else 1
    at, do = "", "choose whole numbers of examples"
    if axis.role == "load":
        at, do = f" at dimension {dimension}", f"choose loads {axis.name} = P/N, or another --dimension"
    sizes = {value: value * factor for value in axes.get(axis.name, ())}
    if axis is component.axes[-1]:
        sizes = {value: max(1.0, float(round(size))) if size < inf else size for value, size in sizes.items()}
    for value, size in sizes.items():
        if not 0.5 < size <= LARGEST_SIZE or abs(round(size) - size) > 1e-6 * size:
            raise InputError(
                f"{axis.name} = {value:g}{at} is {size:g} training examples, not a whole number "
                f"from 1 to 10^12: {do}"
            )
    return {value: round(size) for value, size in sizes.items()}


def log_curves(
    component: Theory,
    params: Params,
    points: Sequence[Mapping[str, float]],
    study: str,
    dimension: int,
    tracking_uri: str | None,
) -> tuple[int, int]:
    """Log each curve along the theory's last axis, and what it is to be compared with, as a run of the study.

    Returns:
        How many curves were logged, and how many were there already.

    Raises:
        InputError: as `train_sizes` does, or no server answers.

    """
    by, size_axis = component.axes[-1].name, sizes_axis(component).name
    curves: dict[tuple[float, ...], dict[float, Mapping[str, float]]] = {}
    for point in points:
        held = tuple(point[axis.name] for axis in component.axes[:-1])
        curves.setdefault(held, {})[point[by]] = point
    sizes = train_sizes(component, {size_axis: [point[size_axis] for point in points]}, dimension)
    from normlaw.tracking.client import connect
    from normlaw.tracking.theory_log import TheoryCurve, log_theory, open_study

    found = [
        TheoryCurve.of(
            component,
            params,
            points=[curve[value] for value in sorted(curve)],
            train_size=max(sizes[point[size_axis]] for point in curve.values()),
        )
        for curve in curves.values()
    ]
    client = connect(tracking_uri)
    logged = log_theory(client, open_study(client, study, component), found)
    return logged, len(found) - logged


def row(component: Theory, point: Mapping[str, float]) -> Row:
    """Return a point in JSON's own types."""
    axes = {axis.name for axis in component.axes}
    return {name: "inf" if name in axes and isinf(value) else finite(value) for name, value in point.items()}


def former_row(_component: Theory, point: Mapping[str, float]) -> Row:
    """Return a point of load and norm as its rows were named at first."""
    names = sorted(set(point) - {"alpha", "lambda", "test_error"})
    names.sort(key=lambda name: name != "overlap")  # what the field looks at first
    given: Row = {"alpha": point["alpha"], "lambda": point["lambda"]}
    return {**given, **{name: finite(point[name]) for name in names}, "error": finite(point["test_error"])}


def finite(value: float) -> float | None:
    """Return the value, or None where JSON has no number for it."""
    return float(value) if isfinite(value) else None
