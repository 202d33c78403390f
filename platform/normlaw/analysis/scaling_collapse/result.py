"""What is found of a ladder of sizes: two functions of x, numbers, a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from normlaw.study.collapse_choice import ABSCISSAS, Abscissa
from normlaw_registry import AnalysisWarning, Estimate, Response

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.figures.drawing import Drawing

Verdict = Literal["supercollapse", "no_supercollapse", "cannot_tell"]
VERDICTS: Mapping[Verdict, str] = {
    "supercollapse": "supercollapse",
    "no_supercollapse": "no supercollapse",
    "cannot_tell": "these curves do not tell whether they supercollapse",
}
DEFINITIONS: Mapping[str, str] = {
    "collapse_below_from": "x from which on Delta < sigma without a gap up to x = 1",
    "collapse_below_to": "x up to which Delta < sigma without a gap from x = 1 on",
    "collapse_below_share": "part of the range of x that this stretch takes",
    "collapse_fraction": "part of the x where Delta < sigma, x = 1 left out",
    "collapse_deviation": "root mean square of Delta over the range of x",
    "collapse_noise_floor": "root mean square of sigma over the range of x",
    "collapse_floor": "L0, floor of the {noun}",
}
"""Of every number, by its name."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ScalingCollapse:
    """How far normalised curves of several sizes deviate from one, against the noise floor of their seeds."""

    abscissa: Abscissa
    over: str
    """What holds the sizes: train_size, or a parameter such as architecture.hidden."""
    response: Response
    """What falls; its floor is L0, given or fitted."""
    confidence: float
    floor_source: Literal["given", "fitted", "zero"]
    numbers: Mapping[str, Estimate]
    """By the names in `DEFINITIONS`; a floor that was not fitted has no error."""
    spreads: Mapping[str, tuple[float, float]]
    """Least and largest of each number over the floors scanned."""
    verdict: Verdict
    reason: AnalysisWarning
    sizes: pd.DataFrame
    """A row a size: size, label, runs, anchor (in units of the abscissa), scale, loss (mean at the anchor)."""
    profile: pd.DataFrame
    """A row an x: x, deviation, deviation_low, deviation_high, noise_floor, noise_floor_low, noise_floor_high,
    below (whether Delta < sigma)."""
    curves: pd.DataFrame
    """A row a size and x: size, label, x, normalised (mean over runs), low, high (confidence limits of it)."""
    scan: pd.DataFrame
    """A row a floor of the loss: floor, below_from, below_to, below_share, fraction, deviation, noise_floor,
    chosen (whether it is L0)."""
    draws: int
    """Resamplings that the errors are of."""
    warnings: Sequence[AnalysisWarning] = ()
    method: Sequence[str] = field(default=())
    """How it was found, a sentence each."""

    @property
    def x_label(self) -> str:
        """What x is."""
        return ABSCISSAS[self.abscissa]

    @property
    def verdict_text(self) -> str:
        """The verdict in words."""
        return VERDICTS[self.verdict]

    def definition(self, name: str) -> str:
        """Return what a number is."""
        return DEFINITIONS[name].format(noun=self.response.plain)

    def summary(self) -> str:
        """Return verdict, numbers and warnings as text for a terminal."""
        from normlaw.analysis.scaling_collapse.text import render

        return render(self)

    def figure(self) -> Drawing:
        """Return the figure: normalised curves with bands, and Delta and sigma below them."""
        from normlaw.analysis.figures.scaling_collapse import scaling_collapse

        return scaling_collapse(self)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} = {e.value:.3g} ± {e.stderr:.1g}" for name, e in self.numbers.items())
        return f"<ScalingCollapse: {VERDICTS[self.verdict]}; {shown}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from normlaw.analysis.scaling_collapse.text import html

        return html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the curves in JSON's own types."""
        return {
            "abscissa": self.abscissa,
            "over": self.over,
            "response": self.response.quantity,
            "confidence": self.confidence,
            "floor_source": self.floor_source,
            "verdict": self.verdict,
            "reason": {"code": self.reason.code, "message": self.reason.message},
            "numbers": {
                name: {
                    "value": e.value,
                    "stderr": e.stderr,
                    "low": e.low,
                    "high": e.high,
                    "scan_low": self.spreads[name][0],
                    "scan_high": self.spreads[name][1],
                    "definition": self.definition(name),
                }
                for name, e in self.numbers.items()
            },
            "sizes": self.sizes.to_dict("records"),
            "scan": self.scan.to_dict("records"),
            "draws": self.draws,
            "warnings": [{"code": w.code, "message": w.message} for w in self.warnings],
            "method": list(self.method),
        }

    def metrics(self) -> dict[str, float]:
        """Return the numbers with their errors and limits, flat, by the names that MLflow has them under."""
        return {
            f"{name}{end}": value
            for name, e in self.numbers.items()
            for end, value in (("", e.value), ("_stderr", e.stderr), ("_ci_low", e.low), ("_ci_high", e.high))
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name."""
        import pandas as pd

        numbers = pd.DataFrame(
            [{"number": name, **values} for name, values in self.to_dict()["numbers"].items()]
        )
        return {
            "scaling_collapse_numbers": numbers,
            "scaling_collapse": self.profile,
            "scaling_collapse_curves": self.curves,
            "scaling_collapse_scan": self.scan,
            "scaling_collapse_sizes": self.sizes,
        }
