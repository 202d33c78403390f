"""What every theory must do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from normlaw_registry.component import Params
from normlaw_registry.errors import InputError, NormlawError
from normlaw_registry.testing.verdict import require
from normlaw_registry.theory import Prediction, Theory
from normlaw_registry.theory_axes import Grid, Observable


def check_theory(
    theory: Theory,
    params: Params,
    *,
    alphas: Sequence[float] | None = None,
    norms: Sequence[float] | None = None,
    grid: Grid | None = None,
) -> None:
    """Solve a small grid; check its shape, the observables' ranges, repetition and the refusal of nonsense.

    A point solved alone must agree with the grid to 1e-6, the same grid solved again to the last digit. What is
    no number, and a load, a number of examples or a width below zero, must be refused by `InputError` or
    `NormlawError`. References must answer values in their observable's range or refuse by `InputError`. Where
    no grid is given, it is that of `tried` of each axis.
    """
    asked = {axis.name: [float(value) for value in axis.tried] for axis in theory.axes}
    if theory.solve is None:
        first, second = theory.axes[0].name, theory.axes[1].name
        asked |= {first: list(alphas or asked[first]), second: list(norms or asked[second])}
        _check_predictions(theory, params, asked[first], asked[second])
    asked |= {name: [float(value) for value in values] for name, values in (grid or {}).items()}
    _check_points(theory, params, asked)
    _check_references(theory, params, asked)
    _check_of_run(theory)
    for axis in theory.axes:
        for nonsense in (math.nan, -1.0) if axis.role in ("load", "examples", "width") else (math.nan,):
            try:
                theory.points(params, {**asked, axis.name: [nonsense]})
            except NormlawError:
                continue
            told = {"load": "a load", "examples": "a number of examples"}.get(
                axis.role, f"the axis {axis.name!r}"
            )
            what = "what is no number" if math.isnan(nonsense) else f"{told} below zero"
            require(theory, False, f"{what} must be refused by raising InputError ({axis.name} = {nonsense})")


def _check_points(theory: Theory, params: Params, grid: Grid) -> None:
    """Check what is solved: how many points, what they carry, in what range, and that they do not change."""
    points = theory.points(params, grid)
    for point in points:
        for observable in theory.observables:
            at = ", ".join(f"{axis.name} = {point[axis.name]:g}" for axis in theory.axes)
            require(theory, observable.name in point, f"the point at {at} lacks {observable.name!r}")
            _check_value(theory, f"{observable.name!r} at {at}", point[observable.name], observable)
    require(theory, theory.points(params, grid) == points, "the same points solved again differ")
    (alone,) = theory.points(params, {name: values[-1:] for name, values in grid.items()})
    for observable in theory.observables:
        name = observable.name
        require(
            theory,
            math.isclose(alone[name], points[-1][name], rel_tol=1e-6),
            f"{name} depends on what else is asked for: {points[-1][name]!r} in a grid, {alone[name]!r} alone",
        )


def _check_of_run(theory: Theory) -> None:
    """A run that nobody has heard of has no counterpart."""
    if theory.of_run is not None:
        other = {"architecture": "another", "dataset": "another", "train_size": "10", "seed": "0"}
        try:
            found = theory.of_run(other)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the declaration that is wrong
            require(theory, False, f"`of_run` of another network must return None, raised {error!r}")
        require(theory, found is None, f"`of_run` of another network must return None, got {found!r}")


def _check_references(theory: Theory, params: Params, grid: Grid) -> None:
    """Check that what is to be compared with an observable is a value that it could have, or is refused."""
    observables = {observable.name: observable for observable in theory.observables}
    for name, reference in theory.compared.items():
        for place in range(min(len(grid[axis]) for axis in reference.axes) if reference.axes else 1):
            held = {axis: grid[axis][place] for axis in reference.axes}
            try:
                value = reference.value(params, held)
            except InputError:
                continue
            _check_value(theory, f"reference {name!r} at {held}", value, observables[reference.observable])


def _check_value(theory: Theory, what: str, value: object, observable: Observable) -> None:
    require(
        theory,
        isinstance(value, float) and observable.low <= value <= observable.high,
        f"{what} must be a float in [{observable.low:g}, {observable.high:g}], got {value!r}",
    )


def _check_predictions(theory: Theory, params: Params, alphas: Sequence[float], norms: Sequence[float]) -> None:
    """Check the order of `predict`, and what the numbers alone do not tell of it."""
    predictions = theory.predict(params, alphas, norms)
    pairs = [(alpha, norm) for alpha in alphas for norm in norms]
    require(
        theory,
        len(predictions) == len(pairs),
        f"{len(alphas)} loads and {len(norms)} norms need {len(pairs)} predictions, got {len(predictions)}",
    )
    for prediction, (alpha, norm) in zip(predictions, pairs, strict=True):
        require(
            theory,
            isinstance(prediction, Prediction),
            f"`predict` must return Prediction objects, got {type(prediction).__name__}",
        )
        require(
            theory,
            (prediction.alpha, prediction.norm) == (alpha, norm),
            f"expected the prediction at alpha = {alpha}, norm = {norm}, got that at {prediction.alpha}, "
            f"{prediction.norm}: loads are outermost, norms innermost",
        )
        require(
            theory,
            isinstance(prediction.error, float) and 0 <= prediction.error <= 1,
            f"the error at alpha = {alpha}, norm = {norm} must be a fraction in [0, 1], "
            f"got {prediction.error!r}",
        )
        _check_order_parameters(theory, prediction.order_parameters)


def _check_order_parameters(theory: Theory, found: Mapping[str, float]) -> None:
    for name, value in found.items():
        require(
            theory,
            isinstance(value, float) and math.isfinite(value),
            f"order parameter {name!r} must be a finite float, got {value!r}",
        )
