"""An analysis as text for the terminal."""

from __future__ import annotations

from textwrap import wrap

from normlaw.analysis.results import EXPONENTS, Analysis

WIDTH = 100


def render(analysis: Analysis) -> str:
    """Return the table of exponents, what it rests on, and the warnings, as plain text."""
    level = f"{analysis.confidence:.0%} interval"
    head = f"{'exponent':<11}{'value':>10}{'std. error':>12}  {level:<22}definition"
    lines = [head, "-" * WIDTH]
    for name, e in analysis.estimates().items():
        interval = f"[{e.low:.4f}, {e.high:.4f}]"
        lines.append(f"{name:<11}{e.value:>10.4f}{e.stderr:>12.4f}  {interval:<22}{EXPONENTS[name]}")
    findings = analysis.findings
    low, high = (f"{bound / 2.302585092994046:.2f}" for bound in findings.window)
    sizes = findings.size_optima["train_size"]
    lines += [
        "",
        f"protocol {analysis.protocol}; {analysis.curves['run'].nunique()} runs, {len(analysis.curves)} "
        f"points, {len(sizes)} train sizes from {sizes.min():,} to {sizes.max():,}",
        f"early window: log10(lambda/lambda_opt) from {low} to {high}, train sizes from "
        f"{findings.first_train_size:,} on",
    ]
    split = [
        f"{name} {e.statistical:.4f} (runs), {e.window:.4f} (windows)"
        for name, e in analysis.estimates().items()
        if e.statistical is not None and e.window is not None
    ]
    if split:
        lines += wrap("parts of the standard errors: " + "; ".join(split), WIDTH)
    for warning in analysis.warnings:
        lines += wrap(f"warning {warning}", WIDTH, subsequent_indent="        ")
    return "\n".join(lines)
