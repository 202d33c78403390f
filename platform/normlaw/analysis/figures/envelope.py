"""What a protocol says of the envelope, drawn over the mean curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.seeds import SizeCurve
from normlaw.analysis.figures.style import LN10
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis

    Line = tuple[NDArray[np.float64], NDArray[np.float64]]


def draw_model(
    figure: Drawing, axes: Axes, analysis: Analysis, curves: dict[int, SizeCurve], size: style.Size
) -> None:
    """Draw, over curves of error against norm, the tables curves_fitted, envelope and departures, if given."""
    tables = analysis.findings.tables
    lines = fitted_lines(tables["curves_fitted"]) if "curves_fitted" in tables else {}
    styles = style.size_styles(list(curves))
    for number, (train_size, (log_norm, log_error)) in enumerate(lines.items()):
        x, y = log_norm / LN10, np.exp(log_error)
        figure.record("fitted", train_size=train_size, log10_norm=x, error=y)
        colour = styles[train_size][0] if train_size in styles else style.QUIET
        label = "fitted" if number == 0 else None
        axes.plot(x, y, color=colour, linewidth=1.5 * size.mark, label=label, zorder=3)
    if "envelope" in tables:
        table = tables["envelope"].sort_values("log_norm")
        x = floats(table, "log_norm") / LN10
        y, low, high = (np.exp(floats(table, name)) for name in ("log_error", "low", "high"))
        figure.record("envelope", log10_norm=x, error=y, low=low, high=high)
        axes.plot(
            x, y, color=style.ACCENT, linestyle="--", linewidth=1.6 * size.mark, label="envelope", zorder=4
        )
        axes.fill_between(x, low, high, color=style.ACCENT, alpha=0.25, linewidth=0, zorder=2)
    if "departures" in tables:
        draw_departures(figure, axes, tables["departures"], curves, lines, size)


def fitted_lines(table: pd.DataFrame) -> dict[int, Line]:
    """Return log_norm and log_error of the fitted curve of each train size, by rising norm."""
    return {
        int(str(train_size)): (floats(curve, "log_norm"), floats(curve, "log_error"))
        for train_size, curve in table.sort_values("log_norm", kind="stable").groupby("train_size")
    }


def height(curve: SizeCurve | None, line: Line | None, log_norm: float) -> float:
    """Return log_error of a train size as it is drawn: on its fitted line, else on its mean curve, else NaN."""
    if line is not None:
        on = float(np.interp(log_norm, *line, left=np.nan, right=np.nan))
        if np.isfinite(on):
            return on
    return np.nan if curve is None else float(curve.at(np.array([log_norm]))[0])


def draw_departures(
    figure: Drawing,
    axes: Axes,
    departures: pd.DataFrame,
    curves: dict[int, SizeCurve],
    lines: dict[int, Line],
    size: style.Size,
) -> None:
    """Mark on each curve where it leaves the envelope, with the confidence limits of the norm.

    A departure beyond its curve has no place on it and is not marked.
    """
    sizes, at = [int(value) for value in departures["train_size"]], floats(departures, "log_norm")
    y = np.exp([height(curves.get(s), lines.get(s), x) for s, x in zip(sizes, at, strict=True)])
    low, high = floats(departures, "low"), floats(departures, "high")
    if not np.isfinite(y).any():
        return
    figure.record(
        "departure", train_size=sizes, log10_norm=at / LN10, error=y, norm_low=low / LN10, norm_high=high / LN10
    )
    reach = np.stack([at - low, high - at])  # (2, sizes)
    axes.errorbar(
        at / LN10,
        y,
        xerr=np.maximum(np.nan_to_num(reach, posinf=0.0, neginf=0.0), 0.0) / LN10,
        linestyle="none",
        marker="D",
        markersize=4.5 * size.mark,
        markeredgewidth=1.2 * size.mark,
        markerfacecolor="white",
        elinewidth=size.mark,
        capsize=2 * size.mark,
        color=style.ACCENT,
        label="departure",
        zorder=6,
    )
