"""The collapse that the reader moves: mean curves over one another, as two exponents say."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.style import LN10
from normlaw.analysis.rescaling import Rescaled, rescaled
from normlaw_registry import Response
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis

CAPTION = "The mean curves over one another, as two exponents say: the less spread, the better."
SLIDERS = (("gamma_1", "γ₁", 4.0), ("gamma_2", "γ₂", 2.0))
"""Name, symbol and largest value of each exponent that is moved."""


def moved_by(means: pd.DataFrame, gamma_1: float, gamma_2: float, gamma_0: float) -> Rescaled:
    """Return mean curves rescaled, where all runs of a train size have a value: it jumps where a run ends."""
    whole = means["runs"] == means.groupby("train_size")["runs"].transform("max")
    return rescaled(means[whole], gamma_1, gamma_2, gamma_0)


def fitted_gammas(analysis: Analysis) -> tuple[float, float, float]:
    """Return gamma_0, gamma_1 and gamma_2 as they were fitted; 0 for what was not."""
    found = {name: one.value for name, one in analysis.estimates().items()}
    values = [found.get(name, 0.0) for name in ("gamma_0", "gamma_1", "gamma_2")]
    gamma_0, gamma_1, gamma_2 = (value if isfinite(value) else 0.0 for value in values)
    return gamma_0, gamma_1, gamma_2


def told(found: Rescaled, gamma_1: float, gamma_2: float) -> str:
    """Return what stands beside the sliders and moves with them."""
    apart = "no norms in common" if found.spread is None else f"spread between train sizes {found.spread:.1%}"
    return f"γ₁γ₂ = {gamma_1 * gamma_2:.3f}; {apart}"


def moved_curves(moved: Rescaled, response: Response) -> Drawing:
    """Return rescaled mean curves, and the norms over which their spread is taken."""
    figure, axes = style.new_figure()
    sizes = sorted(int(size) for size in moved.curves["train_size"].unique())
    styles = style.size_styles(sizes)
    for size in sizes:
        own = moved.curves[moved.curves["train_size"] == size]
        x, y = floats(own, "log_norm") / LN10, np.exp(floats(own, "log_error"))
        figure.record("mean over runs", train_size=size, log10_norm=x, ratio=y)
        colour, marker = styles[size]
        axes.plot(x, y, color=colour, marker=marker, markersize=3, linewidth=1.0, label=f"{size:,}")
    if moved.overlap is not None:
        axes.axvspan(moved.overlap[0] / LN10, moved.overlap[1] / LN10, color=style.PALE, zorder=0)
    style.set_log_norm_axis(axes, "norm over P^γ₂ (in units of the middle train size)")
    style.set_log_error_axis(axes, f"{response.noun} times P^(γ₀ + γ₁γ₂)")
    style.size_legend(figure)
    return figure
