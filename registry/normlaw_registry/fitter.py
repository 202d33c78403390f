"""Fitters: from points of learning curves to the parameters of a law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Literal

from normlaw_registry.component import Component, P
from normlaw_registry.errors import InvalidComponentError, suggestion
from normlaw_registry.fit_result import FitResult

if TYPE_CHECKING:
    import pandas as pd

Law = Literal["early_law", "optimal_norm", "endpoint_law"]

LAW_COLUMNS: dict[str, tuple[str, ...]] = {
    "early_law": ("run", "train_size", "log_norm", "log_error"),
    "optimal_norm": ("run", "train_size", "log_norm"),
    "endpoint_law": ("run", "train_size", "log_error"),
}
"""The columns that a fitter of each law is given. `run` names the curve that a point belongs to (points of
one curve are correlated); `train_size` counts examples; logs are natural; errors are fractions."""

LAW_EXPONENT: dict[str, str] = {
    "early_law": "gamma_1",
    "optimal_norm": "gamma_2",
    "endpoint_law": "gamma_meas",
}
"""The parameter that every fitter of the law must report, with its sign such that the paper's is positive."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitter(Component[P], Generic[P]):
    """Estimates one law's parameters by `fit(points, params)`.

    `points` has the columns `LAW_COLUMNS[law]`, finite, at least one row; `fit` leaves it as it was, and
    gives the same result for the same points. Too few points for the law's parameters are reported by
    raising `InputError` that says how many are needed.

    Raises:
        InvalidComponentError: as `Component` does, or `law` is none of the three.

    """

    kind: ClassVar[str] = "fitter"
    functions: ClassVar[tuple[str, ...]] = ("fit",)

    law: Law
    """Which of the three laws it measures: this fixes its columns and the exponent that it reports."""
    fit: Callable[[pd.DataFrame, P], FitResult]
    """(points, params) -> result. Import statsmodels inside."""

    def __post_init__(self) -> None:
        """Refuse a law that has no columns."""
        super().__post_init__()
        if self.law not in LAW_COLUMNS:
            raise InvalidComponentError(
                f"fitter {self.name!r}: unknown law {self.law!r}, "
                f"{suggestion(str(self.law), list(LAW_COLUMNS))}"
            )
