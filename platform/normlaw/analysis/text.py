"""An analysis as text for the terminal."""

from __future__ import annotations

from math import isfinite, log
from textwrap import wrap

from normlaw.analysis.results import EXPONENTS, Analysis

WIDTH = 100
LN10 = log(10.0)
TITLES = {
    "fitters": "fits by the fitters named (95 % limits)",
    "offsets": "offsets (delta_aic: with minus without)",
    "hold_out_scores": "endpoint laws, scored on the largest train sizes",
    "predictions": "least error at other train sizes",
}


def render(analysis: Analysis) -> str:
    """Return the table of exponents, what it rests on, and the warnings, as plain text."""
    level = f"{analysis.confidence:.0%} interval"
    head = f"{'exponent':<11}{'value':>10}{'std. error':>12}  {level:<22}definition"
    lines = [head, "-" * WIDTH]
    for name, e in analysis.estimates().items():
        interval = f"[{e.low:.4f}, {e.high:.4f}]"
        lines.append(f"{name:<11}{e.value:>10.4f}{e.stderr:>12.4f}  {interval:<22}{EXPONENTS[name]}")
    findings = analysis.findings
    low, high = (
        f"{bound / LN10:.2f}" if isfinite(bound) else f"the {end}"
        for bound, end in zip(findings.window, ("start", "end"), strict=True)
    )
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
    lines += more_lines(analysis)
    for warning in analysis.warnings:
        lines += wrap(f"warning {warning}", WIDTH, subsequent_indent="        ")
    return "\n".join(lines)


def more_lines(analysis: Analysis) -> list[str]:
    """Return what was found besides the exponents, a line each."""
    numbers = {**analysis.findings.extras, **analysis.extras}
    lines: list[str] = []
    if chosen := numbers.get("optimum_chosen_on"):
        lines.append(f"optima chosen on the {chosen}")
    if choices := numbers.get("sensitivity"):
        parts = [f"{name} {spread(choices[name]['weight_90'])}" for name in ("gamma_1", "gamma_pred")]
        lines += wrap(f"90 % of the weight of {choices['choices']:,} choices: {', '.join(parts)}", WIDTH)
    if test := numbers.get("agreement"):
        lines.append(
            f"gamma_pred - gamma_meas = {test['difference']:.4f} +- {test['stderr']:.4f}, "
            f"p = {test['p_value']:.2g}"
        )
    if collapse := numbers.get("collapse"):
        floor = collapse["ratio"]
        compared = "" if floor is None else f", {floor:.2f} times the scatter of seeds"
        lines.append(f"collapse: spread between train sizes {collapse['spread']:.2%} of the error{compared}")
    for name in ("fitters", "offsets", "hold_out_scores", "predictions"):
        if name in analysis.tables_of_platform:
            table = analysis.tables_of_platform[name]
            lines += ["", TITLES[name], *table.to_string(index=False, float_format=short).splitlines()]
    return lines


def short(number: float) -> str:
    """Return a number with four significant digits."""
    return f"{number:.4g}"


def spread(limits: list[float]) -> str:
    """Return two limits as text."""
    return f"{limits[0]:.4f} to {limits[1]:.4f}"
