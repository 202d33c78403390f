"""Theories: exact learning curves of solvable models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import inf
from typing import Any, ClassVar, Generic

from normlaw_registry.component import Component, P
from normlaw_registry.counterpart import OfRun
from normlaw_registry.errors import InputError, InvalidComponentError, NormlawError
from normlaw_registry.theory_axes import (
    Axis,
    Grid,
    Observable,
    Point,
    Reference,
    check_asked,
    check_declared,
    own_names,
)

LAMBDA = "weight_norm"
"""The complexity measure that a theory's norm lambda is, for a network that is one linear map."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The exact state of a solvable model at one load and one norm."""

    alpha: float
    """Load: training examples per parameter, P/N."""
    norm: float
    """The norm lambda itself, the measure `LAMBDA`, not its log."""
    error: float
    """Generalisation error, a fraction in [0, 1]."""
    order_parameters: Mapping[str, float] = field(default_factory=dict)
    """What else the solution knows, by the field's names: 'overlap' (R), 'chi', ..."""


LOAD_AXIS = Axis(
    name="alpha",
    meaning="load, training examples per parameter",
    unit="P/N",
    role="load",
    low=-inf,
    tried=(1, 2),
)
NORM_AXIS = Axis(name="lambda", meaning="norm of the weights", role="norm", low=-inf, tried=(0.5, 1, 2))
ERROR = Observable(name="test_error", meaning="generalisation error, a fraction", low=0.0, high=1.0)


def no_prediction(_params: Any, _alphas: Sequence[float], _norms: Sequence[float]) -> Sequence[Prediction]:
    """Stand for `predict` in a theory that is not one of load and norm.

    Raises:
        InputError: always.

    """
    raise InputError("this theory is not one of load and norm: ask for its `points`")


@dataclass(frozen=True, kw_only=True, eq=False)
class Theory(Component[P], Generic[P]):
    """Predicts the learning curves of a solvable model.

    It declares its axes and observables and gives `solve`; `points` asks it. A value outside the solver's
    range, or a solution whose residual stays above the stated bound, is reported by raising `InputError` or
    `NormlawError`: no number that cannot be vouched for is returned.

    A theory of error against load and norm may give `predict` instead: `predict(params, alphas, norms)` solves
    every pair, alphas outermost, and returns len(alphas) * len(norms) predictions in that order. Its axes are
    then `alpha` and `lambda` unless declared, its observables `test_error` and the order parameters.

    Raises:
        InvalidComponentError: besides what every component refuses: it gives both `solve` and `predict`, or
            neither, or axes, observables or references that do not fit together.

    """

    kind: ClassVar[str] = "theory"
    functions: ClassVar[tuple[str, ...]] = ("predict", "solve", "of_run", "exponents")

    predict: Callable[[P, Sequence[float], Sequence[float]], Sequence[Prediction]] = field(
        default_factory=lambda: no_prediction
    )
    """(params, alphas, norms) -> predictions."""
    references: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    """Of a theory of load and norm, errors to compare with, by name: load alpha -> generalisation error, such
    as the Bayes-optimal one."""
    axes: tuple[Axis, ...] = ()
    """What is given. Along the last one a curve runs: each combination of the others is a curve."""
    observables: tuple[Observable, ...] = ()
    """What is answered."""
    solve: Callable[[P, Grid], Sequence[Point]] | None = None
    """(params, axis -> values) -> the observables by name at each combination, the first axis outermost."""
    compared: Mapping[str, Reference] = field(default_factory=dict)
    """What to compare the observables with, by name; those in `references` are added to it."""
    of_run: OfRun | None = None
    """(settings of a trained run) -> which of its curves the run is to lie on, or None. `normlaw analyse` sets
    every run that has such a counterpart against it, without a fitted number."""
    exponents: Callable[[P], Mapping[str, float]] | None = None
    """(params) -> the exponents gamma_1, gamma_2 and gamma_pred that the laws of its test loss have for many
    examples; raises `InputError`, with the reason, where they have none."""

    def __post_init__(self) -> None:
        """Refuse declarations that do not fit together; fill in those of a theory of load and norm."""
        super().__post_init__()
        if (self.solve is None) == (self.predict is no_prediction):
            raise InvalidComponentError(f"theory {self.name!r}: give one of `solve` and `predict`")
        if self.solve is None:
            object.__setattr__(self, "axes", self.axes or (LOAD_AXIS, NORM_AXIS))
            object.__setattr__(self, "observables", self.observables or (ERROR,))
            found = {name: _of_load(self.axes[0].name, error) for name, error in self.references.items()}
            object.__setattr__(self, "compared", {**found, **self.compared})
        check_declared(self.name, self.axes, self.observables)
        names = [axis.name for axis in self.axes]
        for name, reference in self.compared.items():
            if reference.observable not in [o.name for o in self.observables] or set(reference.axes) - set(
                names
            ):
                raise InvalidComponentError(
                    f"theory {self.name!r}: reference {name!r} must name an observable and axes of it"
                )

    def points(self, params: P, grid: Grid) -> list[dict[str, float]]:
        """Solve every combination of the axes' values.

        Args:
            params: its parameters.
            grid: axis -> values; every axis of it, in any order, by any of its names.

        Returns:
            A point a combination, the first axis outermost: the axes, by `name`, and the observables.

        Raises:
            InputError: an axis is missing or unknown, or the solver refuses a value.
            NormlawError: a point could not be solved, or the solver broke its contract.

        """
        asked_as = {other: own for own, other in own_names(self.name, self.axes, grid).items()}
        grid = {asked_as.get(name, name): values for name, values in grid.items()}
        check_asked(self.name, self.axes, grid)
        names = [axis.name for axis in self.axes]
        held = [dict(zip(names, values, strict=True)) for values in product(*(grid[name] for name in names))]
        if self.solve is not None:
            solved = self.solve(params, {name: [float(value) for value in grid[name]] for name in names})
        else:
            solved = [
                {"test_error": p.error, **p.order_parameters}
                for p in self.predict(params, *(grid[name] for name in names))
            ]
        if len(solved) != len(held):
            raise NormlawError(f"theory {self.name!r} gave {len(solved)} points for {len(held)} combinations")
        return [
            {**{name: float(value) for name, value in at.items()}, **{k: float(v) for k, v in found.items()}}
            for at, found in zip(held, solved, strict=True)
        ]


def _of_load(axis: str, error: Callable[[float], float]) -> Reference:
    """Return an error that is a function of load alone."""
    meaning = (error.__doc__ or "an error").splitlines()[0].removeprefix("Return ").rstrip(".")
    return Reference(
        observable="test_error", meaning=meaning, axes=(axis,), value=lambda params, held: error(held[axis])
    )
