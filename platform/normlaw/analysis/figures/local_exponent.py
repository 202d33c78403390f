"""Figure: the envelope's local exponent against the norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.style import LN10
from normlaw.analysis.figures.view import view
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis


def local_exponent(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return -d ln error / d ln norm of the envelope; gamma_1 as a line over the norms where curves depart."""
    figure, axes = style.sized_figure(size, legend_rows=4)
    table = analysis.findings.tables["local_exponent"].sort_values("log_norm")
    x, value = floats(table, "log_norm") / LN10, floats(table, "gamma_1")
    low, high = floats(table, "low"), floats(table, "high")
    figure.record("local exponent", log10_norm=x, exponent=value, low=low, high=high)
    label = f"−d ln {style.symbol(analysis.response)} / d ln λ of the envelope"
    axes.plot(x, value, color=style.INK, linewidth=1.5 * size.mark, label=label)
    label = f"{analysis.confidence:.0%} confidence"
    axes.fill_between(x, low, high, color=style.QUIET, alpha=0.3, linewidth=0, label=label)
    ends = mark_departures(figure, axes, analysis, x, value, size)
    gamma = analysis.gamma_1
    if np.isfinite(gamma.value):
        figure.record("gamma_1", log10_norm=ends, exponent=gamma.value, low=gamma.low, high=gamma.high)
        label = f"γ₁ = {gamma.value:.3f} ± {gamma.stderr:.3f}"
        look: dict[str, Any] = {"color": style.ACCENT, "linestyle": "--", "linewidth": 1.8 * size.mark}
        axes.plot(ends, [gamma.value] * 2, **look, label=label, zorder=4)
        axes.fill_between(ends, gamma.low, gamma.high, color=style.ACCENT, alpha=0.2, linewidth=0)
    style.set_log_norm_axis(axes, size=size)
    axes.set_ylabel("local exponent")
    least = max(0.2 * abs(float(np.nanmax(value))), 1e-6)
    axes.set_ylim(*view(np.r_[value, gamma.value], axes.get_ylim(), least))
    style.legend(figure, axes, size)
    return figure


def mark_departures(
    figure: Drawing, axes: Axes, analysis: Analysis, x: np.ndarray, value: np.ndarray, size: style.Size
) -> np.ndarray:
    """Mark where curves depart; return the ends of these norms, or of all where the protocol tells none."""
    table = analysis.findings.tables.get("departures")
    if table is None:
        return np.array([x[0], x[-1]])
    at = floats(table, "log_norm") / LN10
    known = at[np.isfinite(at)]
    if not len(known):
        return np.array([x[0], x[-1]])
    on = np.interp(known, x, value, left=np.nan, right=np.nan)
    sizes = table["train_size"][np.isfinite(at)].to_numpy()
    figure.record("departure", train_size=sizes, log10_norm=known, exponent=on)
    styles = style.size_styles(sorted(int(s) for s in sizes))
    for number, (s, place, height) in enumerate(zip(sizes, known, on, strict=True)):
        colour, marker = styles[int(s)]
        label = "departures of the train sizes" if number == 0 else None
        look: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 5 * size.mark}
        axes.plot(place, height, **look, linestyle="none", label=label, zorder=5)
    return np.array([known.min(), known.max()])
