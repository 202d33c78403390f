"""Theories: exact learning curves of solvable models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic

from normlaw_registry.component import Component, P

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Theory(Component[P], Generic[P]):
    """Predicts the learning curves of a solvable model.

    `predict(params, alphas, norms)` solves every pair, alphas outermost, and returns len(alphas) *
    len(norms) predictions in that order. A value outside the solver's range, or a solution whose residual
    stays above the stated bound, is reported by raising `InputError` or `NormlawError`: no number that
    cannot be vouched for is returned.
    """

    kind: ClassVar[str] = "theory"
    functions: ClassVar[tuple[str, ...]] = ("predict",)

    predict: Callable[[P, Sequence[float], Sequence[float]], Sequence[Prediction]]
    """(params, alphas, norms) -> predictions."""
    references: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    """Errors to compare with, by name: load alpha -> generalisation error, such as the Bayes-optimal one."""
