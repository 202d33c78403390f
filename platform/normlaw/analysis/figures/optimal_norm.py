"""Figure: the optimal norm against the train size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.scales import set_log_norm
from normlaw.analysis.figures.style import LN10
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis


def optimal_norm(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return the optima of runs and of train sizes with the line of slope gamma_2."""
    figure, axes = style.sized_figure(size, legend_rows=4)
    runs, sizes = analysis.optima, analysis.size_optima
    for bracketed, marker, label in ((True, "o", "run"), (False, "^", "run, least error at one end")):
        some = runs[runs["bracketed"] == bracketed]
        if len(some):
            log10_norm = floats(some, "log_norm") / LN10
            figure.record(label, train_size=some["train_size"].to_numpy(), log10_norm=log10_norm)
            axes.plot(
                some["train_size"],
                log10_norm,
                linestyle="none",
                marker=marker,
                markersize=4 * size.mark,
                markerfacecolor="none",
                color=style.QUIET,
                label=label,
            )
    x, mean = np.log(floats(sizes, "train_size")), floats(sizes, "log_norm") / LN10
    reach = np.nan_to_num(floats(sizes, "log_norm_stderr")) / LN10
    figure.record("mean over runs", train_size=np.exp(x), log10_norm=mean, low=mean - reach, high=mean + reach)
    axes.errorbar(
        np.exp(x),
        mean,
        yerr=reach,
        linestyle="none",
        marker="s",
        markersize=5 * size.mark,
        capsize=3 * size.mark,
        color=style.INK,
        label="mean over runs ± standard error",
    )
    line = mean.mean() + analysis.gamma_2.value * (x - x.mean()) / LN10
    figure.record("law of the optimal norm", train_size=np.exp(x), log10_norm=line)
    label = f"slope γ₂ = {analysis.gamma_2.value:.3f} ± {analysis.gamma_2.stderr:.3f}"
    axes.plot(np.exp(x), line, color=style.ACCENT, linestyle="--", linewidth=2 * size.mark, label=label)
    style.set_train_size_axis(axes, size)
    set_log_norm(axes, r"optimal norm $λ_\mathrm{opt}$", "y")
    style.legend(figure, axes, size)
    return figure
