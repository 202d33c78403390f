"""What an analysis finds: exponents with their uncertainty, warnings, a verdict, and the tables behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from normlaw_registry.fit_result import FitResult

    Predict = Callable[[NDArray[np.float64], "NDArray[np.float64] | None"], pd.DataFrame]
    Foresee = Callable[[Sequence["PlannedRuns"], bool], Mapping[str, "Estimate"]]

EXPONENTS: dict[str, str] = {
    "gamma_1": "early law: error ~ norm^-gamma_1 before the optimum",
    "gamma_2": "optimal norm: norm of least error ~ P^gamma_2",
    "gamma_pred": "predicted endpoint law: gamma_1 * gamma_2",
    "gamma_meas": "measured endpoint law: least error ~ P^-gamma_meas",
}
"""Name and definition of the exponents that every protocol reports, in the order of all tables."""

Verdict = Literal["hold", "fail", "cannot_tell"]
"""Whether the laws hold for these curves; `cannot_tell` where the data do not decide."""

FRAMES: dict[str, tuple[str, ...]] = {
    "mean_curves": ("train_size", "log_norm", "test_error", "log_error", "runs"),
    "optima": ("run", "train_size", "log_norm", "log_error", "bracketed"),
    "size_optima": ("train_size", "log_norm", "log_norm_stderr", "log_error", "log_error_stderr"),
}
"""The columns that these fields of `Findings` need, where a protocol gives them."""

TABLES: dict[str, tuple[str, ...]] = {
    "curves_fitted": ("train_size", "log_norm", "log_error"),
    "envelope": ("log_norm", "log_error", "low", "high"),
    "local_exponent": ("log_norm", "gamma_1", "low", "high"),
    "departures": ("train_size", "log_norm", "low", "high"),
    "endpoints": ("train_size", "log_error", "low", "high"),
    "sensitivity": ("low", "high", "gamma_1", "gamma_pred", "weight"),
}
"""The tables of `Findings.tables` that figures are drawn of, with the columns that they need besides any other.

- `curves_fitted`: the fitted model along the curve of each train size.
- `envelope`: the curve that all train sizes share before they part, with confidence limits of log_error.
- `local_exponent`: the envelope's slope -d ln error / d ln norm, with confidence limits.
- `departures`: the norm at which each train size leaves the envelope, with confidence limits of log_norm. Where
  errors of different train sizes differ at one norm, `envelope` is that of the largest, and an optional column
  `envelope_shift` says by how much log_error of each train size's own lies above it.
- `endpoints`: the measured least error of each train size, with confidence limits of log_error.
- `sensitivity`: exponents for every choice of window (low, high in ln(lambda/lambda_opt)), and its weight.

Not drawn, but read where analyses are compared that share runs: `influence`, with a row a run and, for each
exponent, by how much the run moves it; the sum of the squares is the variance from the scatter of runs.

Logs are natural, errors are fractions, and confidence limits have the level asked for.
"""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One number with its uncertainty. A number that could not be determined is NaN, and a warning says why."""

    value: float
    stderr: float
    """Standard error, all contributions that the protocol knows of."""
    low: float
    """Lower confidence limit."""
    high: float
    """Upper confidence limit."""
    statistical: float | None = None
    """The part of `stderr` that comes from the scatter of runs; None when the protocol does not part them."""
    window: float | None = None
    """The part of `stderr` that comes from choices of the fit: window and first train size, or smoothing."""
    definition: str = ""
    """What the number is, one line. The four of `EXPONENTS` have theirs there and may leave it empty."""

    @classmethod
    def normal(cls, value: float, stderr: float, confidence: float, definition: str = "") -> Estimate:
        """Return an estimate whose limits are those of a normal variable."""
        reach = NormalDist().inv_cdf(0.5 + confidence / 2) * stderr
        return cls(
            value=float(value),
            stderr=float(stderr),
            low=float(value - reach),
            high=float(value + reach),
            definition=definition,
        )

    @classmethod
    def of_fit(cls, fit: FitResult, parameter: str, confidence: float, definition: str = "") -> Estimate:
        """Return one parameter of a fit with its standard error and confidence limits."""
        limits = fit.conf_int(1 - confidence)
        low, high = limits.to_numpy(dtype="float64")[list(limits.index).index(parameter)]
        return cls(
            value=float(fit.params[parameter]),
            stderr=float(fit.bse[parameter]),
            low=float(low),
            high=float(high),
            definition=definition,
        )

    def to_dict(self) -> dict[str, float | None]:
        """Return all numbers in JSON's own types."""
        return {
            "value": self.value,
            "stderr": self.stderr,
            "low": self.low,
            "high": self.high,
            "statistical": self.statistical,
            "window": self.window,
        }


@dataclass(frozen=True, kw_only=True)
class PlannedRuns:
    """Runs that are not trained yet, alike but for their seeds."""

    train_size: int
    log_norms: tuple[float, ...]
    """Where each is expected to be measured, natural logs of the norm, in the order of training."""
    runs: int = 1
    """How many."""


@dataclass(frozen=True, kw_only=True)
class AnalysisWarning:
    """Something that a reader must know before trusting a number; `code` is stable, the text may change."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a protocol hands back. The four exponents are enough; all else may be left at its default.

    Frames that are None the host takes from `normlaw_registry.curves`, so that the findings of every protocol
    are drawn, reported and logged.
    """

    gamma_1: Estimate
    gamma_2: Estimate
    gamma_pred: Estimate
    gamma_meas: Estimate
    further: Mapping[str, Estimate] = field(default_factory=dict)
    """Further numbers by name (lower-case words joined by underscores), each with its definition."""
    verdict: Verdict | None = None
    """Whether the laws hold; None: this protocol does not judge."""
    reasons: tuple[AnalysisWarning, ...] = ()
    """Why the verdict is what it is, coded as warnings are."""
    mean_curves: pd.DataFrame | None = None
    """The mean curve of each train size; columns as `FRAMES` says, `runs` is how many entered."""
    optima: pd.DataFrame | None = None
    """One row a run, with its optimum and whether it is bracketed; columns as `FRAMES` says."""
    size_optima: pd.DataFrame | None = None
    """One row a train size, with the mean optimum of its runs; columns as `FRAMES` says."""
    window: tuple[float, float] | None = None
    """Fit window of the early law in ln(lambda / lambda_opt), the one that figures mark; None: has none."""
    first_train_size: int | None = None
    """Smallest train size in the early fit; None: no train size is left out."""
    fits: Mapping[str, FitResult] = field(default_factory=dict)
    """The fits reported in full, by name."""
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Further tables, by name; those of `TABLES` are drawn too."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """Further results in JSON's own types, by name. `joint` is drawn: {"mean": [gamma_pred, gamma_meas],
    "covariance": their covariance, two rows of two}."""
    method: tuple[str, ...] = ()
    """How it was done, a sentence each."""
    warnings: tuple[AnalysisWarning, ...] = ()
    predict: Predict | None = None
    """The fitted model, if there is one: (train_sizes (n,), log_norms (n,) or None) -> a frame of n rows with
    log_error, log_error_low, log_error_high, limits at the confidence level asked for. With None for the norms:
    the least error of each train size."""
    foresee: Foresee | None = None
    """How far further runs are expected to narrow the intervals, before these are trained, if the protocol can
    tell: (planned runs, afresh) -> estimates by name, `gamma_pred` among them, with their values of now and the
    limits foretold. With `afresh` the planned runs stand in the place of those measured; with none planned, not
    afresh, the limits are those of now."""

    def estimates(self) -> dict[str, Estimate]:
        """Return all numbers by name: the four exponents in the order of `EXPONENTS`, then the further ones."""
        return {**{name: getattr(self, name) for name in EXPONENTS}, **self.further}

    def definition(self, name: str) -> str:
        """Return what a number is: its own definition, or that of `EXPONENTS`."""
        return self.estimates()[name].definition or EXPONENTS.get(name, "")


def flaws(findings: object) -> Iterator[str]:
    """Yield what is wrong with a protocol's findings, a sentence each, for the protocol's author."""
    if not isinstance(findings, Findings):
        yield f"`analyse` must return Findings, got {type(findings).__name__}"
        return
    yield from _flaws_of_estimates(findings)
    if findings.verdict not in (None, *get_args(Verdict)):
        yield f"`verdict` must be None or one of {', '.join(get_args(Verdict))}, got {findings.verdict!r}"
    if findings.verdict in ("fail", "cannot_tell") and not findings.reasons:
        yield f"the verdict {findings.verdict!r} needs a reason"
    for warning in (*findings.warnings, *findings.reasons):
        if not isinstance(warning, AnalysisWarning):
            yield f"warnings and reasons must be AnalysisWarning, got {type(warning).__name__}"
    needed = {name: (getattr(findings, name), columns) for name, columns in FRAMES.items()}
    needed |= {f"tables[{name!r}]": (findings.tables.get(name), columns) for name, columns in TABLES.items()}
    for name, (frame, columns) in needed.items():
        if frame is not None and (lacking := [c for c in columns if c not in getattr(frame, "columns", ())]):
            yield f"`{name}` lacks the columns {', '.join(lacking)}"


def _flaws_of_estimates(findings: Findings) -> Iterator[str]:
    from normlaw_registry.component import NAME_RULE

    for name, estimate in findings.estimates().items():
        if not isinstance(estimate, Estimate):
            yield f"`{name}` must be an Estimate, got {type(estimate).__name__}"
        elif not isfinite(estimate.value) and not (findings.warnings or findings.reasons):
            yield f"`{name}` is {estimate.value} and no warning says why"
        elif estimate.stderr < 0 or estimate.low > estimate.high:
            yield f"`{name}`: a standard error below 0, or limits in the wrong order: {estimate}"
    for name, estimate in findings.further.items():
        if name in EXPONENTS or not NAME_RULE.fullmatch(name):
            yield f"`further` has {name!r}: names are lower-case words joined by underscores, none of the four"
        elif isinstance(estimate, Estimate) and not estimate.definition:
            yield f"`further` has {name!r} without a definition"
