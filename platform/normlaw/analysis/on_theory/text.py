"""Trained runs against exact answers, as text."""

from __future__ import annotations

from textwrap import wrap

import pandas as pd

from normlaw.analysis.on_theory.agreement import Agreement
from normlaw.analysis.on_theory.laws import Laws
from normlaw.analysis.text_tables import WIDTH, table_lines

ABOUT = (
    "z: mean deviation in its standard errors, over seeds; rms_z: root mean square over points, near 1 where "
    "nothing but the seeds' scatter is left; no number is fitted"
)


def render(agreement: Agreement, laws: Laws) -> str:
    """Return scores, laws and verdicts as lines of a terminal's width."""
    lines = [f"trained runs against the theory {agreement.theory.name}", *wrap(ABOUT, WIDTH), ""]
    scores = agreement.scores()
    scores = scores.assign(
        rms_z=scores["rms_z"].map("{:.2f}".format),
        within_2=scores["within_2"].map("{:.0%}".format),
        ratio=scores["ratio"].map("{:.4f}".format),
    )
    lines += table_lines(_without_empty(scores))
    if len(laws.exponents):
        told = (
            "exponents of the test loss: of the trained runs; of the exact curves at the same points, by the "
            "same protocol; and as known for many examples"
        )
        lines += ["", *wrap(told, WIDTH)]
        numbers = laws.exponents.copy()
        for name in ("trained", "stderr", "exact_curves", "limit"):
            numbers[name] = [f"{value:.4f}" if pd.notna(value) else "-" for value in numbers[name]]
        lines += table_lines(_without_empty(numbers))
    for setting, what, verdict in laws.verdicts:
        where = f"{setting}: " if setting else ""
        lines += wrap(f"{where}laws in {what}: {verdict.replace('_', ' ')}", WIDTH, subsequent_indent="  ")
    for note in agreement.notes[:3]:
        lines += wrap(f"left out: {note}", WIDTH, subsequent_indent="  ")
    return "\n".join(lines)


def _without_empty(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table without a setting's column where there is one setting."""
    return table.drop(columns="setting") if set(table["setting"]) == {""} else table
