"""What an analysis finds: exponents with their uncertainty, warnings, and the tables behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.options import Options
    from normlaw_registry import FitResult

EXPONENTS: dict[str, str] = {
    "gamma_1": "early law: error ~ norm^-gamma_1 before the optimum",
    "gamma_2": "optimal norm: norm of least error ~ P^gamma_2",
    "gamma_pred": "predicted endpoint law: gamma_1 * gamma_2",
    "gamma_meas": "measured endpoint law: least error ~ P^-gamma_meas",
}
"""Name and definition of every exponent, in the order of all tables."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One number with its uncertainty."""

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
    """The part of `stderr` that comes from the choice of fit window and first train size."""

    def to_dict(self) -> dict[str, float | None]:
        """Return all fields in JSON's own types."""
        return {
            "value": self.value,
            "stderr": self.stderr,
            "low": self.low,
            "high": self.high,
            "statistical": self.statistical,
            "window": self.window,
        }


@dataclass(frozen=True, kw_only=True)
class AnalysisWarning:
    """Something that a reader must know before trusting a number; `code` is stable, the text may change."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a protocol hands back."""

    gamma_1: Estimate
    gamma_2: Estimate
    gamma_pred: Estimate
    gamma_meas: Estimate
    mean_curves: pd.DataFrame
    """train_size, log_norm, log_error, runs: mean over the runs of a size."""
    optima: pd.DataFrame
    """One row a run: run, train_size, log_norm, log_error at the optimum, and whether it is bracketed."""
    size_optima: pd.DataFrame
    """One row a train size: train_size, log_norm, log_error, log_norm_stderr, log_error_stderr."""
    window: tuple[float, float]
    """Fit window of the early law in ln(lambda / lambda_opt), the one that figures mark."""
    first_train_size: int
    """Smallest train size in the early fit."""
    fits: Mapping[str, FitResult] = field(default_factory=dict)
    """The fits reported in full, by name."""
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Further tables of the protocol, by name."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """Further results in JSON's own types, by name."""
    method: tuple[str, ...] = ()
    """How it was done, a sentence each."""
    warnings: tuple[AnalysisWarning, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class Analysis:
    """The laws of one study."""

    protocol: str
    confidence: float
    """Level of all confidence limits."""
    options: Options
    """What the user chose."""
    curves: pd.DataFrame
    """The points that were analysed."""
    findings: Findings
    warnings: tuple[AnalysisWarning, ...]
    tables_of_platform: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    """Results beyond the exponents in JSON's own types: collapse quality, hold-out scores."""

    @property
    def gamma_1(self) -> Estimate:
        """Exponent of the early law."""
        return self.findings.gamma_1

    @property
    def gamma_2(self) -> Estimate:
        """Exponent of the optimal norm."""
        return self.findings.gamma_2

    @property
    def gamma_pred(self) -> Estimate:
        """Predicted exponent of the endpoint law."""
        return self.findings.gamma_pred

    @property
    def gamma_meas(self) -> Estimate:
        """Measured exponent of the endpoint law."""
        return self.findings.gamma_meas

    def summary(self) -> str:
        """Return the table of exponents, what it rests on, and the warnings, as text to be read."""
        from normlaw.analysis.text import render

        return render(self)

    def __repr__(self) -> str:
        numbers = (f"{name} = {e.value:.3f} ± {e.stderr:.3f}" for name, e in self.estimates().items())
        return f"<Analysis: {', '.join(numbers)}>"

    def estimates(self) -> dict[str, Estimate]:
        """Return all exponents by name, in the order of `EXPONENTS`."""
        return {name: getattr(self, name) for name in EXPONENTS}

    def to_dict(self) -> dict[str, Any]:
        """Return all results in JSON's own types; the flat keys are the stable ones."""
        flat: dict[str, Any] = {}
        for name, estimate in self.estimates().items():
            flat[name] = estimate.value
            flat[f"{name}_stderr"] = estimate.stderr
            flat[f"{name}_ci"] = [estimate.low, estimate.high]
        return {
            **flat,
            "protocol": self.protocol,
            "confidence": self.confidence,
            "warnings": [{"code": w.code, "message": w.message} for w in self.warnings],
            "estimates": {name: estimate.to_dict() for name, estimate in self.estimates().items()},
            "early_window": list(self.findings.window),
            "first_train_size": self.findings.first_train_size,
            "train_sizes": [int(size) for size in self.findings.size_optima["train_size"]],
            "runs": int(self.curves["run"].nunique()),
            "method": list(self.findings.method),
            "fits": {name: fit.to_dict() for name, fit in self.findings.fits.items()},
            **self.findings.extras,
            **self.extras,
        }

    def numbers(self) -> dict[str, float]:
        """Return the results that are single numbers, by name: what can be searched and sorted by."""
        flat = {name: value for name, value in self.to_dict().items() if isinstance(value, float)}
        limits = {
            f"{name}_ci_{end}": value
            for name, e in self.estimates().items()
            for end, value in (("low", e.low), ("high", e.high))
        }
        return {**flat, **limits, "runs": float(self.curves["run"].nunique())}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name: exponents, optima of runs and sizes, mean curves, the protocol's own."""
        import pandas as pd

        exponents = pd.DataFrame(
            [
                {"exponent": name, "definition": EXPONENTS[name], **estimate.to_dict()}
                for name, estimate in self.estimates().items()
            ]
        )
        return {
            "exponents": exponents,
            "optima": self.findings.optima,
            "size_optima": self.findings.size_optima,
            "mean_curves": self.findings.mean_curves,
            **self.findings.tables,
            **self.tables_of_platform,
        }
