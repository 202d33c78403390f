"""Analyses as Markdown, for the notes on MLflow's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from normlaw.analysis.results import Analysis
from normlaw.analysis.text import VERDICTS, chosen_points
from normlaw.analysis.units import told_sizes
from normlaw_registry import EXPONENTS, Estimate


def exponents_table(analysis: Analysis) -> list[str]:
    """Return one analysis as its verdict, a table with a row an exponent, and below it what it rests on."""
    head = ["exponent", "value", "std. error", f"{analysis.confidence:.0%} interval", "definition"]
    rows = [
        [
            name,
            f"{e.value:.4f}",
            f"{e.stderr:.4f}",
            f"{e.low:.4f} to {e.high:.4f}",
            analysis.definition(name),
        ]
        for name, e in analysis.estimates().items()
    ]
    return [*verdict_paragraph(analysis), *table(head, rows), "", basis(analysis), *warning_lines(analysis)]


def settings_table(analyses: Mapping[str, Analysis]) -> list[str]:
    """Return analyses of several settings, by the settings' labels, as a table with a row a setting."""
    rows = [
        [setting.replace("|", "/"), *map(with_error, a.exponents().values()), str(a.curves["run"].nunique())]
        for setting, a in analyses.items()
    ]
    protocols = ", ".join(sorted({analysis.protocol for analysis in analyses.values()}))
    doubtful = [setting for setting, analysis in analyses.items() if analysis.warnings]
    told = f"; with warnings: {', '.join(doubtful)}" if doubtful else ""
    lines = table(["setting", *EXPONENTS, "runs"], rows)
    return [*lines, "", f"Values with their standard errors; protocol {protocols}{told}."]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table; a wide space ends each cell, since MLflow's pages set none between columns."""
    lines = ["".join(f"| {cell}&emsp;" for cell in cells) + "|" for cells in (head, *rows)]
    return [lines[0], "|---" * len(head) + "|", *lines[1:]]


def with_error(estimate: Estimate) -> str:
    """Return a number and its standard error."""
    return f"{estimate.value:.4f}&nbsp;±&nbsp;{estimate.stderr:.4f}"


def basis(analysis: Analysis) -> str:
    """Return what the numbers rest on, as a sentence."""
    sizes = analysis.size_optima["train_size"]
    runs, points = analysis.curves["run"].nunique(), len(analysis.curves)
    return (
        f"Protocol {analysis.protocol}; {runs} runs, {points} points, "
        f"{told_sizes(sizes, analysis.unit)}" + "".join(f"; {part}" for part in chosen_points(analysis)) + "."
    )


def verdict_paragraph(analysis: Analysis) -> list[str]:
    """Return the verdict with its reasons, and an empty line; nothing where the protocol does not judge."""
    if analysis.findings.verdict is None:
        return []
    reasons = [f"- **{reason.code}**: {reason.message}" for reason in analysis.findings.reasons]
    head = f"**Verdict: {VERDICTS[analysis.findings.verdict]}.**"
    return [head, "", *([*reasons, ""] if reasons else [])]


def warning_lines(analysis: Analysis) -> list[str]:
    """Return the warnings as a list."""
    return ["", *(f"- **{w.code}**: {w.message}" for w in analysis.warnings)] if analysis.warnings else []
