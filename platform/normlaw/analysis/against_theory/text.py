"""A comparison with theory as text."""

from __future__ import annotations

from textwrap import wrap

import numpy as np

from normlaw.analysis.against_theory.comparison import Comparison
from normlaw.analysis.against_theory.laws import COLLAPSE_WINDOW, EARLY_WINDOW, FIRST_ALPHA
from normlaw.analysis.against_theory.optima import EXACT
from normlaw.analysis.text_tables import WIDTH, table_lines
from normlaw_registry.curves.columns import floats

PUBLISHED = {"steepest": "", "gamma_1": "0.4901 +- 0.0005", "gamma_2": "0.96 +- 0.25", "gamma": "0.5"}
"""Free-norm perceptron of D'Amico, Bocchi, Negri 2025 (arXiv 2505.13230); gamma is that of error/error_0."""


def render(comparison: Comparison) -> str:
    """Return agreement, optima and exponents as aligned lines."""
    parts = (_agreement(comparison), _optima(comparison), _collapse(comparison), _exponents(comparison))
    return "\n\n".join("\n".join(lines) for lines in parts)


def _agreement(comparison: Comparison) -> list[str]:
    lines = [f"{'agreement with theory':<30} {'points':>6} {'rms z':>6}  in 2 stderr  ratio to theory"]
    for setting, rows in comparison.agreement.groupby("setting", sort=False):
        z = floats(rows, "z")
        z = z[np.isfinite(z)]
        ratio = float((rows["mean"] / rows["theory"]).mean())
        inside = float((np.abs(z) < 2.0).mean()) if len(z) else float("nan")
        rms = float(np.sqrt((z**2).mean())) if len(z) else float("nan")
        lines.append(f"{setting!s:<30} {len(rows):>6} {rms:>6.2f} {inside:>12.0%} {ratio:>16.4f}")
    return lines


def _optima(comparison: Comparison) -> list[str]:
    table = comparison.references.set_index("alpha")
    gaps = dict.fromkeys(table.index, "")
    if {"least_error", "bayes_optimal"} <= set(table.columns):
        excess = floats(table, "least_error") / floats(table, "bayes_optimal") - 1.0
        gaps = {alpha: f"{gap:.6e}" for alpha, gap in zip(table.index, excess, strict=True)}
    lines = [f"{'alpha':<7} {'norm of least error: theory, measured':<46} over Bayes-optimal - 1"]
    for alpha, rows in comparison.optima.groupby("alpha"):
        cells = []
        for row in rows.to_dict("records"):
            norm = float(np.exp(row["log_norm"]))
            spread = norm * row["log_norm_stderr"]
            cells.append(f"{norm:.4g}" if row["setting"] == EXACT else f"{norm:.3g}+-{spread:.1g}")
        lines.append(f"{alpha!s:<7} {'  '.join(cells):<46} {gaps[rows['alpha'].iloc[0]]}")
    return lines


def _collapse(comparison: Comparison) -> list[str]:
    low, high = COLLAPSE_WINDOW
    title = "collapse: largest spread of error/least error, at alpha from ... on, for norms within "
    spreads = comparison.collapse.assign(
        spread=comparison.collapse["spread"].map("{:.2%}".format),
        first_alpha=comparison.collapse["first_alpha"].map("{:g}".format),
    )
    order = {name: list(dict.fromkeys(spreads[name])) for name in ("setting", "first_alpha")}
    wide = spreads.pivot(index="setting", columns="first_alpha", values="spread")
    wide = wide.loc[order["setting"], order["first_alpha"]].rename_axis(index="alpha from", columns=None)
    return [*wrap(f"{title}{low:g} to {high:g} of the optimum", WIDTH), *table_lines(wide.reset_index())]


def _exponents(comparison: Comparison) -> list[str]:
    about = (
        f"exponents, loads from {FIRST_ALPHA:g} on; at the largest load the steepest local slope, and gamma_1 "
        f"of norms from {EARLY_WINDOW[0]:g} to {EARLY_WINDOW[1]:g} of the optimum; gamma: error/error_0; "
        "published: of the free norm"
    )
    lines = [*wrap(about, WIDTH), f"{'':<30} {'exponent':<9} {'value':>8} {'stderr':>8}   published"]
    for row in comparison.exponents.to_dict("records"):
        stderr = f"{row['stderr']:.4f}" if np.isfinite(row["stderr"]) else "-"
        lines.append(
            f"{row['setting']:<30} {row['exponent']:<9} {row['value']:>8.4f} {stderr:>8}   "
            f"{PUBLISHED[row['exponent']]}".rstrip()
        )
    return lines
