"""Analyses as Markdown, for the notes on MLflow's pages."""

from __future__ import annotations

from collections.abc import Mapping

from normlaw.analysis.results import EXPONENTS, Analysis, Estimate


def exponents_table(analysis: Analysis) -> list[str]:
    """Return one analysis as a table with a row an exponent, and below it what it rests on."""
    lines = [
        f"| exponent | value | std. error | {analysis.confidence:.0%} interval | definition |",
        "|---|---|---|---|---|",
    ]
    for name, e in analysis.estimates().items():
        interval = f"{e.low:.4f} to {e.high:.4f}"
        lines.append(f"| {name} | {e.value:.4f} | {e.stderr:.4f} | {interval} | {EXPONENTS[name]} |")
    return [*lines, "", basis(analysis), *warning_lines(analysis)]


def settings_table(analyses: Mapping[str, Analysis]) -> list[str]:
    """Return analyses of several settings, by the settings' labels, as a table with a row a setting."""
    lines = [f"| setting | {' | '.join(EXPONENTS)} | runs |", "|---" * (len(EXPONENTS) + 2) + "|"]
    for setting, analysis in analyses.items():
        cells = " | ".join(with_error(e) for e in analysis.estimates().values())
        lines.append(f"| {setting.replace('|', '/')} | {cells} | {analysis.curves['run'].nunique()} |")
    protocols = ", ".join(sorted({analysis.protocol for analysis in analyses.values()}))
    doubtful = [setting for setting, analysis in analyses.items() if analysis.warnings]
    told = f"; with warnings: {', '.join(doubtful)}" if doubtful else ""
    return [*lines, "", f"Values with their standard errors; protocol {protocols}{told}."]


def with_error(estimate: Estimate) -> str:
    """Return a number and its standard error."""
    return f"{estimate.value:.4f} ± {estimate.stderr:.4f}"


def basis(analysis: Analysis) -> str:
    """Return what the numbers rest on, as a sentence."""
    sizes = analysis.findings.size_optima["train_size"]
    runs, points = analysis.curves["run"].nunique(), len(analysis.curves)
    return (
        f"Protocol {analysis.protocol}; {runs} runs, {points} points, "
        f"{len(sizes)} train sizes from {sizes.min():,} to {sizes.max():,}."
    )


def warning_lines(analysis: Analysis) -> list[str]:
    """Return the warnings as a list."""
    return ["", *(f"- **{w.code}**: {w.message}" for w in analysis.warnings)] if analysis.warnings else []
