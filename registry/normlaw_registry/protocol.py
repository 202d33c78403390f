"""Protocols of analysis: rules that turn learning curves into exponents.

The frame of curves that a protocol is given holds the points that can be fitted, and nothing else: at least 3
train sizes, at least 4 distinct norms a run, errors above zero, sorted by train_size, run and log_norm, index 0
to n - 1. Its columns (logs are natural):

    run                 str: which curve the point belongs to; points of one curve are correlated
    train_size          int: number of training examples, constant within a run
    seed                what tells the runs of one train size apart
    log_norm            ln of the norm
    test_error          the response, > 0: by default the error on the test examples
    log_error           ln of test_error

and, where the study has them:

    step                    optimiser step
    alpha                   load P/N of a solvable model
    validation_error        error on examples set apart, neither trained nor tested on, at every point: what
                            optima are chosen on
    mean_log_optimal_norm   ln of a train size's optimal norm, known from elsewhere; constant within a size

An error is a fraction in [0, 1]. Where the context's `response` says so, test_error holds the test loss, which
may exceed 1, or what either exceeds a floor by; validation_error and all that is found follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from normlaw_registry.component import NAME_RULE, Component, P
from normlaw_registry.errors import InputError, InvalidComponentError, suggestion
from normlaw_registry.response import TEST_ERROR, Response

if TYPE_CHECKING:
    import pandas as pd

    from normlaw_registry.findings import Findings
    from normlaw_registry.fit_result import FitResult

    FitBy = Callable[[pd.DataFrame, Mapping[str, Any]], FitResult]


@dataclass(frozen=True, kw_only=True)
class AnalysisContext:
    """What the host hands to a protocol besides curves and params."""

    confidence: float = 0.95
    """Level of all confidence limits, in [0.5, 1)."""
    response: Response = TEST_ERROR
    """What the column test_error holds."""
    fitters: Mapping[str, FitBy] = field(default_factory=dict)
    """The fitters that the protocol declared, by name: (points, params as a mapping) -> result."""

    def fit(self, fitter: str, points: pd.DataFrame, **params: Any) -> FitResult:
        """Fit points by one of the declared fitters.

        Args:
            fitter: its name.
            points: columns as `LAW_COLUMNS` of its law says.
            params: of the fitter; those left out have their defaults.

        Raises:
            InputError: the protocol did not declare this fitter, the fitter has no such parameter, or there are
                too few points for it.
            NormlawError: the fitter failed in a way of its own; names the plugin that provides it.

        """
        if fitter not in self.fitters:
            raise InputError(
                f"the protocol uses the fitter {fitter!r} and does not declare it in `fitters`: "
                f"{suggestion(fitter, list(self.fitters))}"
            )
        return self.fitters[fitter](points, params)


@dataclass(frozen=True, kw_only=True, eq=False)
class AnalysisProtocol(Component[P], Generic[P]):
    """Turns curves into exponents by `analyse(curves, params, context)`.

    `curves` is the frame that this module describes; `analyse` leaves it as it was, and finds the same for the
    same curves: random draws have a fixed seed. All limits have the level `context.confidence`. Curves that it
    can say nothing about are refused by raising `InputError` that says what is needed.

    Raises:
        InvalidComponentError: as `Component` does, `fitters` is no tuple of names, or `by_default` no bool.

    """

    kind: ClassVar[str] = "protocol"
    functions: ClassVar[tuple[str, ...]] = ("analyse",)

    analyse: Callable[[pd.DataFrame, P, AnalysisContext], Findings]
    """(curves, params, context) -> findings. Import numpy, pandas and the like inside."""
    fitters: tuple[str, ...] = ()
    """Names of the fitters that it uses, from whichever plugin; one that is not installed is an error before
    the analysis begins."""
    by_default: bool = False
    """Whether it is taken where neither the command nor the study names a protocol. Of those installed one may
    say so: where another does, users must name the one that they mean."""

    def __post_init__(self) -> None:
        """Refuse fitters that no catalogue could look up."""
        super().__post_init__()
        names = self.fitters
        good = isinstance(names, tuple) and all(
            isinstance(one, str) and NAME_RULE.fullmatch(one) for one in names
        )
        if not good:
            raise InvalidComponentError(
                f"protocol {self.name!r}: `fitters` must be a tuple of fitters' names, got {names!r}"
            )
        if not isinstance(self.by_default, bool):
            raise InvalidComponentError(
                f"protocol {self.name!r}: `by_default` must be True or False, got {self.by_default!r}"
            )
