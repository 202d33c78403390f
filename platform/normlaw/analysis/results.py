"""What an analysis finds: exponents with their uncertainty, warnings, and the tables behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from normlaw_registry import EXPONENTS, AnalysisWarning, Estimate, Findings, Response
from normlaw_registry.dataset import EXAMPLES
from normlaw_registry.host.fitting import dict_at

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.layer_growth import LayerGrowth
    from normlaw.analysis.options import Options
    from normlaw.analysis.scaling_collapse import ScalingCollapse


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
    """What the protocol handed back, its frames filled in where it gave none."""
    warnings: tuple[AnalysisWarning, ...]
    added_tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """What the platform found beside the protocol's tables, by name: the comparison of abscissas, scores."""
    scaling_collapse: ScalingCollapse | None = None
    """How far normalised curves deviate from one, against the noise floor of their seeds, if asked for."""
    layer_growth: LayerGrowth | None = None
    """How the norm of every layer at the optimum grows with the train size, where layers were measured."""
    unit: str = EXAMPLES
    """What train sizes count."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """Results beyond the exponents in JSON's own types: collapse quality, hold-out scores."""

    @property
    def response(self) -> Response:
        """What falls with the norm: the column test_error of `curves` holds it."""
        return self.options.measured

    def definition(self, name: str) -> str:
        """Return what a number is, in terms of the response."""
        return self.response.told(self.findings.definition(name))

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

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from normlaw.analysis.notebook import analysis_html

        return analysis_html(self)

    @property
    def optima(self) -> pd.DataFrame:
        """The optimum of each run."""
        return given(self.findings.optima)

    @property
    def size_optima(self) -> pd.DataFrame:
        """The optimum of each train size."""
        return given(self.findings.size_optima)

    @property
    def mean_curves(self) -> pd.DataFrame:
        """The mean curve of each train size."""
        return given(self.findings.mean_curves)

    def estimates(self) -> dict[str, Estimate]:
        """Return all numbers by name: the four exponents first, then the protocol's own."""
        return self.findings.estimates()

    def exponents(self) -> dict[str, Estimate]:
        """Return the four exponents that every protocol reports."""
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
            "response": {
                "quantity": self.response.quantity,
                "floor": self.response.floor,
                "described": self.response.described,
            },
            "from_norm": self.options.from_norm,
            "from_train_size": self.options.from_train_size,
            "warnings": [{"code": w.code, "message": w.message} for w in self.warnings],
            "estimates": {name: estimate.to_dict() for name, estimate in self.estimates().items()},
            "verdict": self.findings.verdict,
            "reasons": [{"code": w.code, "message": w.message} for w in self.findings.reasons],
            "early_window": None if self.findings.window is None else list(self.findings.window),
            "first_train_size": self.findings.first_train_size,
            "train_sizes": [int(size) for size in self.size_optima["train_size"]],
            "train_size_unit": self.unit,
            "runs": int(self.curves["run"].nunique()),
            "method": list(self.findings.method),
            "fits": {name: dict_at(fit, self.confidence) for name, fit in self.findings.fits.items()},
            **self.findings.extras,
            **self.extras,
            **({"scaling_collapse": collapse.to_dict()} if (collapse := self.scaling_collapse) else {}),
        }

    def numbers(self) -> dict[str, float]:
        """Return the results that are single numbers, by name: what can be searched and sorted by."""
        flat = {name: value for name, value in self.to_dict().items() if isinstance(value, float)}
        limits = {
            f"{name}_ci_{end}": value
            for name, e in self.estimates().items()
            for end, value in (("low", e.low), ("high", e.high))
        }
        collapse = self.scaling_collapse.metrics() if self.scaling_collapse else {}
        return {**flat, **limits, **collapse, "runs": float(self.curves["run"].nunique())}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name: exponents, optima of runs and sizes, mean curves, the protocol's own.

        Columns about the error are called after the response.
        """
        import pandas as pd

        exponents = pd.DataFrame(
            [
                {"exponent": name, "definition": self.definition(name), **estimate.to_dict()}
                for name, estimate in self.estimates().items()
            ]
        )
        tables = {
            "exponents": exponents,
            "optima": self.optima,
            "size_optima": self.size_optima,
            "mean_curves": self.mean_curves,
            **self.findings.tables,
            **self.added_tables,
            **(self.scaling_collapse.tables() if self.scaling_collapse else {}),
        }
        return {name: table.rename(columns=self.response.column) for name, table in tables.items()}


def given(frame: pd.DataFrame | None) -> pd.DataFrame:
    """Return a frame that `complete` has filled in where the protocol gave none."""
    assert frame is not None
    return frame
