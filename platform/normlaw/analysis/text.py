"""An analysis as text for the terminal."""

from __future__ import annotations

from math import isfinite
from textwrap import wrap
from typing import TYPE_CHECKING

from normlaw.analysis.figures.style import LN10
from normlaw.analysis.results import Analysis
from normlaw.analysis.scaling_collapse.text import collapse_lines
from normlaw.analysis.text_tables import WIDTH, table_lines
from normlaw.analysis.units import told_sizes
from normlaw_registry import Response

if TYPE_CHECKING:
    from normlaw_registry import Findings

VERDICTS = {
    "hold": "the laws hold",
    "fail": "the laws do not hold",
    "cannot_tell": "these curves do not tell whether the laws hold",
}
TITLES = {
    "fitters": "fits by the fitters named",
    "offsets": "offsets (delta_aic: with minus without)",
    "hold_out_scores": "endpoint laws, scored on the largest train sizes (abs_log_error: mean error of ln ε)",
    "predictions": "least error at other train sizes",
    "abscissas": "share of the variance between runs that one envelope in each abscissa explains",
}

SHOWN = {
    "fitters": ["fitter", "parameter", "value", "stderr", "low", "high"],
    "hold_out_scores": ["fitter", "predicted", "abs_log_error", "inside", "mean_inside", "decades"],
    "predictions": ["fitter", "train_size", "decades", "test_error", "low", "high", "problem"],
    "abscissas": ["abscissa", "explained", "low", "high", "behind", "behind_stderr"],
}
"""Columns that are printed, of tables that have more; all of them are in the files."""


def render(analysis: Analysis) -> str:
    """Return the verdict, the table of exponents, what it rests on, and the warnings, as plain text."""
    level = f"{analysis.confidence:.0%} interval"
    findings = analysis.findings
    room = max(11, *(len(name) + 1 for name in analysis.estimates()))
    head = f"{'exponent':<{room}}{'value':>10}{'std. error':>12}  {level}"
    verdict = verdict_lines(analysis)
    lines = [*verdict, *([""] if verdict else []), head, "-" * max(60, len(head))]
    for name, e in analysis.estimates().items():
        interval = f"[{e.low:z.4f}, {e.high:z.4f}]"
        lines.append(f"{name:<{room}}{e.value:>z10.4f}{e.stderr:>12.4f}  {interval}")
    lines.append("")
    for name in analysis.estimates():
        lines += hanging(f"  {name:<{room}}", analysis.definition(name))
    sizes = analysis.size_optima["train_size"]
    about = [
        f"protocol {analysis.protocol}; {analysis.curves['run'].nunique()} runs, {len(analysis.curves)} "
        f"points, {told_sizes(sizes, analysis.unit)}",
        *(["; ".join(told)] if (told := chosen_points(analysis)) else []),
        *window_lines(findings),
    ]
    lines += ["", *(line for text in about for line in wrap(text, WIDTH, subsequent_indent="  "))]
    split = [
        f"{name} {e.statistical:.4f}, {e.window:.4f}"
        for name, e in analysis.estimates().items()
        if e.statistical is not None and e.window is not None and isfinite(e.stderr)
    ]
    if split:
        lines += wrap(
            "parts of the standard errors, from the scatter of runs and from choices of the fit: "
            + "; ".join(split),
            WIDTH,
        )
    lines += more_lines(analysis)
    if analysis.scaling_collapse is not None:
        lines += ["", *collapse_lines(analysis.scaling_collapse), ""]
    for warning in analysis.warnings:
        lines += wrap(f"warning {warning}", WIDTH, subsequent_indent="        ")
    return "\n".join(lines)


def chosen_points(analysis: Analysis) -> list[str]:
    """Return what was analysed, where it is not simply all test errors."""
    options, told = analysis.options, []
    if analysis.response != Response():
        told.append(f"response: {analysis.response.described}")
    if options.from_norm is not None:
        told.append(f"norms from {options.from_norm:g} on")
    if options.from_train_size is not None:
        told.append(f"train sizes from {options.from_train_size:,} on")
    return told


def window_lines(findings: Findings) -> list[str]:
    """Return where the early law was read, as lines; none where the protocol has no window."""
    if findings.window is None:
        return []
    low, high = (
        f"{bound / LN10:.2f}" if isfinite(bound) else f"the {end}"
        for bound, end in zip(findings.window, ("start", "end"), strict=True)
    )
    first = findings.first_train_size
    on = "all train sizes" if first is None else f"train sizes from {first:,} on"
    return [f"early window: log10(lambda/lambda_opt) from {low} to {high},", f"  {on}"]


def verdict_lines(analysis: Analysis) -> list[str]:
    """Return whether the laws hold, with the reasons; nothing where the protocol does not judge."""
    verdict = analysis.findings.verdict
    if verdict is None:
        return []
    reasons = [
        wrap(f"{reason}", WIDTH, initial_indent="  ", subsequent_indent="    ")
        for reason in analysis.findings.reasons
    ]
    return [f"verdict: {VERDICTS[verdict]}", *(line for lines in reasons for line in lines)]


def more_lines(analysis: Analysis) -> list[str]:
    """Return what was found besides the exponents, a line each."""
    numbers = {**analysis.findings.extras, **analysis.extras}
    lines: list[str] = []
    if chosen := numbers.get("optimum_chosen_on"):
        lines.append(f"optima chosen on the {chosen}")
    if choices := numbers.get("sensitivity"):
        parts = [f"{name} {spread(choices[name]['weight_90'])}" for name in ("gamma_1", "gamma_pred")]
        lines += wrap(f"90 % of the weight of {choices['choices']:,} choices: {', '.join(parts)}", WIDTH)
    told = any(reason.code in ("laws_agree", "laws_disagree") for reason in analysis.findings.reasons)
    if (test := numbers.get("agreement")) and not told and isfinite(test["difference"]):
        lines.append(
            f"gamma_pred - gamma_meas = {test['difference']:.4f} ± {test['stderr']:.4f}, "
            f"p = {test['p_value']:.2g}"
        )
    if tested := tests_told(numbers.get("tests")):
        lines += wrap(f"tests: {tested}", WIDTH, subsequent_indent="  ")
    if collapse := numbers.get("collapse"):
        floor = collapse["ratio"]
        compared = "" if floor is None else f", {floor:.2f} times the scatter of seeds"
        spread_found = f"collapse: spread between train sizes {collapse['spread']:.2%} of the "
        lines += wrap(f"{spread_found}{analysis.response.noun}{compared}", WIDTH, subsequent_indent="  ")
    tables = {**analysis.findings.tables, **analysis.added_tables}
    for name in ("fitters", "offsets", "hold_out_scores", "predictions", "abscissas"):
        if (table := tables.get(name)) is not None:
            level = f" ({analysis.confidence:.0%} limits)" if "low" in table.columns else ""
            shown = table[[column for column in SHOWN.get(name, table.columns) if column in table.columns]]
            title = analysis.response.told(TITLES[name]) + level
            lines += ["", *wrap(title, WIDTH, subsequent_indent="  ")]
            lines += table_lines(shown.rename(columns=analysis.response.column))
    if (growth := analysis.layer_growth) is not None:
        title = f"how norms at the optimum grow with the train size ({analysis.confidence:.0%} limits)"
        lines += ["", *wrap(title, WIDTH, subsequent_indent="  ")]
        lines += table_lines(growth.rows[["norm", "gamma_2", "stderr", "low", "high", "told"]])
    return lines


def tests_told(tests: object) -> str:
    """Return tests as text: each a mapping with `hypothesis`, `means` and `p_value`; others are left out.

    >>> tests_told([{"hypothesis": "gamma_0 = 0", "means": "one envelope", "p_value": 0.25}, {"p_value": 1.0}])
    'gamma_0 = 0 (one envelope) p = 0.25'
    """
    known = [
        test
        for test in (tests if isinstance(tests, list) else [])
        if isinstance(test, dict) and {"hypothesis", "means", "p_value"} <= test.keys()
    ]
    told = [f"{t['hypothesis']} ({t['means']}) p = {t['p_value']:.2g}" for t in known if isfinite(t["p_value"])]
    return "; ".join(told)


def hanging(head: str, text: str) -> list[str]:
    """Return a text beside what it is about, in lines that fit."""
    return wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head))


def spread(limits: list[float]) -> str:
    """Return two limits as text."""
    return f"{limits[0]:.4f} to {limits[1]:.4f}"
