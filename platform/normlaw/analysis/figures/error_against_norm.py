"""Figure: test error against norm, one curve a train size, with what the protocol says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.envelope import draw_model
from normlaw.analysis.figures.seeds import SizeCurve, size_curves
from normlaw.analysis.figures.style import LN10
from normlaw.analysis.figures.view import view
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis
    from normlaw_registry import Findings, Response

BELOW = 5
"""The axis ends at the least error over this."""
BESIDE = 0.1
"""The axis ends so far beyond the curves, over the norms that they span."""


def error_against_norm(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return the mean curves with bands over runs, optima, and the protocol's window or envelope."""
    figure, axes, curves = mean_curves_figure(analysis.curves, analysis.mean_curves, size, analysis.findings)
    mark_optima(figure, axes, curves, analysis.size_optima, size)
    draw_model(figure, axes, analysis, curves, size)
    finish(figure, axes, size, analysis.response)
    least = min(float(np.nanmin(np.fmin(curve.low, curve.log_error))) for curve in curves.values())
    # an envelope far beyond what was measured would press the curves into a line
    axes.set_ylim(bottom=max(axes.get_ylim()[0], float(np.exp(least)) / BELOW))
    norms = np.concatenate([curve.log_norm for curve in curves.values()]) / LN10
    axes.set_xlim(*view(norms, axes.get_xlim(), share=BESIDE))  # likewise the limits of a departure
    return figure


def unfitted_curves(
    points: pd.DataFrame, means: pd.DataFrame, optima: pd.DataFrame, size: style.Size, response: Response
) -> Drawing:
    """Return the mean curves alone, for curves that no law could be fitted to.

    Args:
        points: the points, sorted along each run.
        means: columns as `mean_curves` gives them.
        optima: columns as `size_optima` gives them.
        size: where it is printed.
        response: what the column test_error holds.

    """
    figure, axes, curves = mean_curves_figure(points, means, size)
    mark_optima(figure, axes, curves, optima, size)
    finish(figure, axes, size, response)
    return figure


def mean_curves_figure(
    points: pd.DataFrame, means: pd.DataFrame, size: style.Size, findings: Findings | None = None
) -> tuple[Drawing, Axes, dict[int, SizeCurve]]:
    """Return a figure with the mean curve of each train size; marks within the early window are filled."""
    curves = size_curves(points, means)
    figure, axes = style.sized_figure(size, legend_rows=1 + len(curves) // 4)
    styles = style.size_styles(list(curves))
    fitted = findings is not None and "curves_fitted" in findings.tables
    for train_size, curve in curves.items():
        colour, marker = styles[train_size]
        x, y = curve.log_norm / LN10, np.exp(curve.log_error)
        low, high = np.exp(curve.low), np.exp(curve.high)
        inside = _in_window(findings, train_size, curve.log_norm)
        figure.record(
            "mean over runs", train_size=train_size, log10_norm=x, error=y, low=low, high=high, in_window=inside
        )
        axes.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
        axes.plot(
            x,
            y,
            color=colour,
            linewidth=(0.5 if fitted else 1.0) * size.mark,
            label=f"{train_size:,}",
            marker=marker,
            markersize=3 * size.mark,
            markerfacecolor="white",
            markeredgewidth=0.7 * size.mark,
        )
        axes.plot(x[inside], y[inside], color=colour, linestyle="none", marker=marker, markersize=3 * size.mark)
    return figure, axes, curves


def mark_optima(
    figure: Drawing, axes: Axes, curves: dict[int, SizeCurve], optima: pd.DataFrame, size: style.Size
) -> None:
    """Mark the optimal norm of each train size on its curve."""
    sizes, at = [int(value) for value in optima["train_size"]], floats(optima, "log_norm")
    on = np.array([float(curves[s].at(np.array([x]))[0]) for s, x in zip(sizes, at, strict=True)])
    figure.record("optimal norm", train_size=sizes, log10_norm=at / LN10, error=np.exp(on))
    axes.plot(
        at / LN10,
        np.exp(on),
        linestyle="none",
        marker="+",
        markersize=8 * size.mark,
        markeredgewidth=1.3 * size.mark,
        color=style.INK,
        label="optimum",
        zorder=5,
    )


def finish(figure: Drawing, axes: Axes, size: style.Size, response: Response) -> None:
    """Set axes and legend."""
    style.set_log_norm_axis(axes, size=size)
    style.set_log_error_axis(axes, style.response_label(response))
    style.size_legend(figure, size)


def _in_window(findings: Findings | None, train_size: int, log_norm: np.ndarray) -> np.ndarray:
    """Return which points the early law is read at."""
    if findings is None or findings.window is None or train_size < (findings.first_train_size or 0):
        return np.zeros(len(log_norm), dtype=bool)
    optima = findings.size_optima
    assert optima is not None
    optimum = float(optima.loc[optima["train_size"] == train_size, "log_norm"].iloc[0])
    low, high = findings.window
    relative = log_norm - optimum
    return np.asarray((relative >= low) & (relative <= high))
