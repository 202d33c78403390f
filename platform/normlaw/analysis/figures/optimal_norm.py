"""Figure: the optimal norm against the train size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normlaw.analysis.results import Analysis

LN10 = float(np.log(10.0))


def optimal_norm(analysis: Analysis) -> Figure:
    """Return the optima of runs and of train sizes with the line of slope gamma_2."""
    figure, axes = style.new_figure()
    runs, sizes = analysis.optima, analysis.size_optima
    for bracketed, marker, label in ((True, "o", "run"), (False, "^", "run, least error at one end")):
        some = runs[runs["bracketed"] == bracketed]
        if len(some):
            axes.plot(
                some["train_size"],
                some["log_norm"] / LN10,
                linestyle="none",
                marker=marker,
                markersize=4,
                markerfacecolor="none",
                color=style.QUIET,
                label=label,
            )
    axes.errorbar(
        sizes["train_size"],
        sizes["log_norm"] / LN10,
        yerr=sizes["log_norm_stderr"].fillna(0.0) / LN10,
        linestyle="none",
        marker="s",
        markersize=6,
        capsize=3,
        color=style.INK,
        label="mean over runs ± standard error",
    )
    x = np.log(sizes["train_size"].to_numpy(dtype=np.float64))
    line = sizes["log_norm"].mean() + analysis.gamma_2.value * (x - x.mean())
    label = f"slope γ₂ = {analysis.gamma_2.value:.3f} ± {analysis.gamma_2.stderr:.3f}"
    axes.plot(np.exp(x), line / LN10, color=style.ACCENT, linestyle="--", linewidth=2, label=label)
    style.set_train_size_axis(axes)
    axes.set_ylabel("optimal norm, log₁₀ λ_opt")
    axes.legend(fontsize="small")
    return figure
