"""Figures of a comparison with theory: exact curves as lines, measured ones as points with error bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from normlaw.analysis.against_theory.comparison import Comparison
from normlaw.analysis.against_theory.optima import EXACT
from normlaw.analysis.figures import style
from normlaw.analysis.figures.style import LN10
from normlaw.study.names import path_part
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RULES = {
    "hebb": ("Hebb", "<", "start"),
    "bayes_optimal": ("Bayes-optimal", "_", "optimum"),
    "maximum_stability": ("maximum stability", ">", "end"),
}


def figures(comparison: Comparison) -> dict[str, Figure]:
    """Return every figure of the comparison by name."""
    drawn = {"optimal_norm": optimal_norm(comparison), "collapse": collapse(comparison)}
    if {"least_error", "bayes_optimal"} <= set(comparison.references.columns):
        drawn["least_error_over_bayes"] = least_error_over_bayes(comparison)
    for setting, rows in comparison.agreement.groupby("setting", sort=False):
        drawn[f"error_against_norm_{file_name(str(setting))}"] = error_against_norm(comparison, rows)
    for (first, second), rows in comparison.pairs.groupby(["first", "second"], sort=False):
        name = f"{file_name(str(first))}_over_{file_name(str(second))}"
        drawn[name] = ratio(str(first), str(second), rows)
    return drawn


def file_name(setting: str) -> str:
    """Return a setting's label as part of a file's name.

    >>> file_name("trainer.name=fixed_norm")
    'fixed_norm'
    """
    return path_part("_".join(part.partition("=")[2] or part for part in setting.split()))


def loads(frame: pd.DataFrame) -> Iterator[tuple[float, pd.DataFrame, tuple[object, str]]]:
    """Yield each load with its rows and its colour and marker."""
    alphas = sorted(frame["alpha"].unique())
    styles = style.size_styles(range(len(alphas)))
    for i, alpha in enumerate(alphas):
        yield float(alpha), frame[frame["alpha"] == alpha].sort_values("log_norm"), styles[i]


def alpha_axis(axes: Axes) -> None:
    """Make x the load, logarithmic."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("load α = P/N")


def error_against_norm(comparison: Comparison, rows: pd.DataFrame) -> Figure:
    """Return one setting's points on the exact curves, with the rules at the ends and at the optimum."""
    figure, axes = style.new_figure(7.2, 5.4)
    for alpha, curve, (colour, marker) in loads(rows):
        x = floats(curve, "log_norm") / LN10
        axes.plot(x, curve["theory"], color=colour, linewidth=1.0)
        axes.errorbar(
            x[::2],
            curve["mean"].to_numpy()[::2],
            curve["stderr"].to_numpy()[::2],
            color=colour,
            linestyle="none",
            marker=marker,
            markersize=3.5,
            markerfacecolor="white",
            elinewidth=0.8,
            label=f"{alpha:g}",
        )
    mark_rules(axes, comparison, rows)
    style.set_log_norm_axis(axes)
    style.set_log_error_axis(axes, style.response_label())
    axes.legend(title="load α", fontsize="x-small", title_fontsize="small", ncols=2, loc="lower left")
    setting = style.plain(rows["setting"].iloc[0])
    axes.set_title(f"{setting}: lines exact, points mean and standard error", fontsize="medium")
    return figure


def mark_rules(axes: Axes, comparison: Comparison, rows: pd.DataFrame) -> None:
    """Mark each rule's error where the curve should meet it."""
    low, high = rows["log_norm"].min() / LN10, rows["log_norm"].max() / LN10
    exact = comparison.optima[comparison.optima["setting"] == EXACT].set_index("alpha")["log_norm"]
    for rule, (label, marker, place) in RULES.items():
        if rule not in comparison.references.columns:
            continue
        table = comparison.references[comparison.references["alpha"].isin(rows["alpha"].unique())]
        at = {"start": low - 0.08, "end": high + 0.08}.get(place)
        x = [exact[alpha] / LN10 if at is None else at for alpha in table["alpha"]]
        axes.plot(
            x,
            table[rule],
            linestyle="none",
            marker=marker,
            markersize=9 if marker == "_" else 5,
            markeredgewidth=1.5,
            color=style.ACCENT,
            zorder=5,
        )
        axes.annotate(
            label,
            (x[0], float(table[rule].iloc[0])),
            textcoords="offset points",
            xytext=(0, 6),
            fontsize="x-small",
            color=style.ACCENT,
            ha={"start": "left", "end": "right"}.get(place, "center"),
        )


def optimal_norm(comparison: Comparison) -> Figure:
    """Return lambda_opt against the load."""
    figure, axes = style.new_figure()
    looks = style.category_styles(list(comparison.optima["setting"].unique()))
    for setting, rows in comparison.optima.groupby("setting", sort=False):
        norm = np.exp(floats(rows, "log_norm"))
        if setting == EXACT:
            axes.plot(rows["alpha"], norm, color=style.INK, linewidth=1.0, label="theory, norm held")
        else:
            axes.errorbar(
                rows["alpha"],
                norm,
                norm * floats(rows, "log_norm_stderr"),
                linestyle="none",
                color=looks[setting][0],
                marker=looks[setting][1],
                markersize=4,
                markerfacecolor="white",
                label=file_name(str(setting)),
            )
    alpha_axis(axes)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylabel("norm of least error λ_opt")
    axes.legend(fontsize="small")
    return figure


def collapse(comparison: Comparison) -> Figure:
    """Return error over least error against norm over optimal norm: exact curves, and points where measured."""
    figure, axes = style.new_figure()
    optima = {(o["setting"], o["alpha"]): o for o in comparison.optima.to_dict("records")}
    for alpha, rows, (colour, marker) in loads(comparison.agreement):
        for setting, curve in rows.groupby("setting", sort=False):
            best = optima[str(setting), alpha]
            x = (floats(curve, "log_norm") - best["log_norm"]) / LN10
            axes.plot(
                x, curve["mean"] / best["error"], color=colour, linestyle="none", marker=marker, markersize=2.5
            )
        best = optima[EXACT, alpha]
        x = (floats(curve, "log_norm") - best["log_norm"]) / LN10
        axes.plot(x, curve["theory"] / best["error"], color=colour, linewidth=1.0, label=f"{alpha:g}")
    axes.set_xlim(-3.0, 2.5)
    axes.set_ylim(0.9, 30.0)
    style.set_log_norm_axis(axes, style.RELATIVE_NORM_LABEL)
    style.set_log_error_axis(axes, "error over least error ε/ε_opt")
    axes.legend(title="load α", fontsize="x-small", title_fontsize="small", ncols=2)
    return figure


def least_error_over_bayes(comparison: Comparison) -> Figure:
    """Return by how much the exact least error over the norm exceeds the Bayes-optimal one.

    Measured errors are not shown: their scatter is a hundred times this difference.
    """
    figure, axes = style.new_figure()
    table = comparison.references
    gap = floats(table, "least_error") / floats(table, "bayes_optimal") - 1.0
    axes.plot(table["alpha"], gap, color=style.INK, linewidth=1.0, marker="o", markersize=4)
    alpha_axis(axes)
    axes.set_yscale("log")
    axes.set_ylabel("least error over Bayes-optimal error, minus 1")
    axes.set_title(f"at the largest load: {gap[-1]:.6e}", fontsize="medium")
    return figure


def ratio(first: str, second: str, rows: pd.DataFrame) -> Figure:
    """Return the ratio of two settings' errors on the same data against the norm."""
    figure, axes = style.new_figure()
    for alpha, curve, (colour, marker) in loads(rows):
        axes.errorbar(
            floats(curve, "log_norm") / LN10,
            curve["ratio"],
            curve["stderr"],
            color=colour,
            marker=marker,
            markersize=3,
            linewidth=0.8,
            elinewidth=0.8,
            label=f"{alpha:g}",
        )
    axes.axhline(1.0, color=style.QUIET, linewidth=0.8)
    style.set_log_norm_axis(axes)
    axes.set_ylabel(f"error of {file_name(first)} over {file_name(second)}")
    axes.set_ylim(0.9, 1.3)
    axes.legend(title="load α", fontsize="x-small", title_fontsize="small", ncols=2)
    return figure
