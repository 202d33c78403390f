"""What a theory declares: what may be asked of it, what it answers, and what to compare an answer with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Literal, get_args

from normlaw_registry.component import NAME_RULE
from normlaw_registry.errors import InputError, InvalidComponentError, suggestion

AxisRole = Literal["examples", "load", "time", "width", "norm", "initial_scale", "other"]
"""What an axis means to whoever logs or draws it. Values of `examples` are numbers of training examples P,
those of `load` are examples per dimension."""

Grid = Mapping[str, Sequence[float]]
"""Axis -> its values. A grid has each combination of them, the first axis outermost."""
Point = Mapping[str, float]
"""The values at one combination, by name."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Something that is given: an abscissa of a theory's curves."""

    name: str
    """As for components: lower-case words joined by underscores."""
    meaning: str
    """One line: what it is."""
    unit: str = ""
    """'steps', 'P/N', ...; empty for a pure number."""
    role: AxisRole = "other"
    """What kind of quantity it is."""
    low: float = 0.0
    """Least value that the solver answers for."""
    high: float = inf
    """Largest value; with `inf`, infinity itself may be asked for too, and the solver says whether it can."""
    tried: tuple[float, ...]
    """Two values or more that the solver answers for at default parameters: what checks ask and help shows."""
    also: tuple[str, ...] = ()
    """Other names that it may be asked for by; what answers then bears the name that was asked for."""


@dataclass(frozen=True, kw_only=True)
class Observable:
    """Something that is answered at every point."""

    name: str
    """'test_loss', 'train_loss', 'test_error' (a fraction) and 'norm' (of the weights, not its square, not its
    log) mean the same in every theory; others are the theory's own."""
    meaning: str
    """One line: what it is."""
    unit: str = ""
    """Empty for a pure number."""
    low: float = -inf
    """Least value that it can have."""
    high: float = inf
    """Largest value; with `inf`, a value that float64 cannot hold is infinite."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Something to compare an observable with: a bound, or a limit such as infinite time."""

    observable: str
    """What it is compared with."""
    meaning: str
    """One line: what it is."""
    axes: tuple[str, ...]
    """The axes that it depends on; along the others it is constant."""
    value: Callable[[Any, Point], float]
    """(params, values of these axes) -> value; raises `InputError` where there is none."""


def check_declared(theory: str, axes: Sequence[Axis], observables: Sequence[Observable]) -> None:
    """Refuse axes and observables that nothing could be asked or answered by.

    Raises:
        InvalidComponentError: says which declaration is wrong.

    """
    names = [name for axis in axes for name in (axis.name, *axis.also)] + [one.name for one in observables]
    if not axes or not observables:
        raise InvalidComponentError(f"theory {theory!r}: `solve` needs `axes` and `observables`")
    for name in names:
        if not NAME_RULE.fullmatch(name) or names.count(name) > 1:
            raise InvalidComponentError(
                f"theory {theory!r}: {name!r} must be lower-case words joined by underscores, and the name "
                "of one axis or observable only"
            )
    for axis in axes:
        within = all(axis.low <= value <= axis.high for value in axis.tried)
        if axis.role not in get_args(AxisRole) or len(set(axis.tried)) < 2 or not within:
            raise InvalidComponentError(
                f"theory {theory!r}, axis {axis.name!r}: `role` is one of {', '.join(get_args(AxisRole))}, and "
                "`tried` has at least two values from `low` to `high`"
            )


def own_names(theory: str, axes: Sequence[Axis], grid: Grid) -> dict[str, str]:
    """Return axis -> the name that a grid calls it by, for those that it calls by another one of its names.

    Raises:
        InputError: an axis is given twice, by two of its names.

    """
    found = {}
    for axis in axes:
        given = [name for name in (axis.name, *axis.also) if name in grid]
        if len(given) > 1:
            raise InputError(f"theory {theory!r}: {' and '.join(given)} are one axis: give it once")
        if given and given[0] != axis.name:
            found[axis.name] = given[0]
    return found


def check_asked(theory: str, axes: Sequence[Axis], grid: Grid) -> None:
    """Refuse a grid that lacks an axis, has one too many, or a value outside an axis' range.

    Raises:
        InputError: says which.

    """
    known = [axis.name for axis in axes]
    for name in grid:
        if name not in known:
            raise InputError(f"theory {theory!r} has no axis {name!r}: {suggestion(name, known)}")
    if missing := [name for name in known if name not in grid]:
        raise InputError(
            f"theory {theory!r}: no values of {', '.join(missing)} are given; its axes are {', '.join(known)}"
        )
    for axis in axes:
        for value in grid[axis.name]:
            if not axis.low <= value <= axis.high:  # also what is no number
                raise InputError(
                    f"{theory}: {axis.name} = {value:g} is outside [{axis.low:g}, {axis.high:g}], "
                    "the range that the solver answers for"
                )
