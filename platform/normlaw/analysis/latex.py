"""Exponents as LaTeX tables, for \\usepackage{booktabs}.

pandas' Styler writes and escapes them: what stands in a table is text, but for the numbers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import floor, isfinite, log10

import pandas as pd

from normlaw.analysis.results import Analysis
from normlaw.analysis.text import VERDICTS
from normlaw_registry import Estimate

SYMBOLS = {
    "gamma_0": r"$\gamma_0$",
    "gamma_1": r"$\gamma_1$",
    "gamma_2": r"$\gamma_2$",
    "gamma_pred": r"$\gamma_\mathrm{pred}$",
    "gamma_meas": r"$\gamma_\mathrm{meas}$",
}
UNKNOWN = "--"
DIGITS = 2
"""Significant digits of a standard error."""


def exponents_latex(analysis: Analysis) -> str:
    """Return the numbers of one analysis as a table with a row each: value, error, limits, definition."""
    rows = [
        {
            "exponent": SYMBOLS.get(name, name.replace("_", r"\_")),  # names are words joined by underscores
            "value": with_error(estimate),
            f"{analysis.confidence:.0%} interval": limits(estimate),
            "definition": analysis.definition(name),
        }
        for name, estimate in analysis.estimates().items()
    ]
    return _table(pd.DataFrame(rows), ["definition"])


def settings_latex(analyses: Mapping[str, Analysis]) -> str:
    """Return several analyses, by their settings' labels, as a table with a row each."""
    names = [n for n in SYMBOLS if any(n in analysis.estimates() for analysis in analyses.values())]
    rows = []
    for setting, analysis in analyses.items():
        known, verdict = analysis.estimates(), analysis.findings.verdict
        numbers = {SYMBOLS[n]: with_error(known[n]) if n in known else UNKNOWN for n in names}
        runs = int(analysis.curves["run"].nunique())
        judged = UNKNOWN if verdict is None else VERDICTS[verdict]
        rows.append({"setting": setting, **numbers, "runs": str(runs), "verdict": judged})
    return _table(pd.DataFrame(rows), ["setting", "verdict"])


def with_error(estimate: Estimate) -> str:
    r"""Return a number and its standard error, to two significant digits of the latter.

    >>> with_error(Estimate.normal(1.62847, 0.0955, 0.95)), with_error(Estimate.normal(12.0, 130.0, 0.95))
    ('$1.628 \\pm 0.096$', '$12 \\pm 130$')
    """
    if not isfinite(estimate.value):
        return UNKNOWN
    places = places_of(estimate.stderr)
    return rf"${estimate.value:z.{places}f} \pm {_rounded(estimate.stderr, places)}$"


def limits(estimate: Estimate) -> str:
    """Return the confidence limits, as precise as the value."""
    if not (isfinite(estimate.low) and isfinite(estimate.high)):
        return UNKNOWN
    places = places_of(estimate.stderr)
    return f"$[{estimate.low:z.{places}f}, {estimate.high:z.{places}f}]$"


def places_of(stderr: float) -> int:
    """Return how many decimals show two significant digits of an error."""
    if not isfinite(stderr) or stderr <= 0:
        return 4
    return max(0, DIGITS - 1 - floor(log10(stderr)))


def _rounded(stderr: float, places: int) -> str:
    if not isfinite(stderr):
        return r"\infty" if stderr > 0 else r"\text{?}"
    return f"{stderr:.{places}f}"


def _table(frame: pd.DataFrame, texts: list[str]) -> str:
    """Return a table; the columns named in `texts` are escaped, as others' words are."""
    frame = frame.rename(columns={name: name.replace("%", r"\%") for name in frame.columns})
    subset: list[Hashable] = [*texts]
    styled = frame.style.hide(axis="index").format(escape="latex", subset=subset)
    columns = "".join("p{5cm}" if name == "definition" else "l" for name in frame.columns)
    return "% needs \\usepackage{booktabs}\n" + str(styled.to_latex(hrules=True, column_format=columns))
