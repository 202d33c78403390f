"""What a comparison of trained runs with a theory gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from normlaw.analysis.against_theory.comparison import Comparison
from normlaw.analysis.on_theory.agreement import Agreement
from normlaw.base.html import paragraph, preformatted, together


@dataclass(frozen=True)
class Compared:
    """A comparison, where its files are, and its MLflow run; None of an archive's curves.

    It is a `Comparison` with theory runs of the study itself, as for the perceptron, or an `Agreement` with
    what a theory has for the study's runs.
    """

    comparison: Comparison | Agreement
    text: str
    folder: Path
    run_id: str | None

    @property
    def settings(self) -> frozenset[str]:
        """Labels of the settings whose runs were set against what a theory has for them."""
        if isinstance(self.comparison, Agreement):
            return frozenset(self.comparison.points["setting"])
        return frozenset()

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return together(preformatted(self.text), paragraph(f"Tables and figures: {self.folder}"))
