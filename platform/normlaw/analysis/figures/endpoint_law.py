"""Figure: the least error against the train size, predicted and measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normlaw.analysis.results import Analysis


def endpoint_law(analysis: Analysis) -> Figure:
    """Return the least errors with the measured law and the predicted one with its confidence band."""
    figure, axes = style.new_figure()
    sizes = analysis.size_optima
    axes.errorbar(
        sizes["train_size"],
        np.exp(sizes["log_error"]),
        yerr=(sizes["log_error_stderr"].fillna(0.0) * np.exp(sizes["log_error"])),
        linestyle="none",
        marker="s",
        markersize=6,
        capsize=3,
        color=style.INK,
        label="least error, mean over runs ± standard error",
    )
    x = np.log(sizes["train_size"].to_numpy(dtype=np.float64))
    away, level = x - x.mean(), sizes["log_error"].mean()
    measured, predicted = analysis.gamma_meas, analysis.gamma_pred
    axes.plot(
        np.exp(x),
        np.exp(level - measured.value * away),
        color=style.INK,
        linewidth=1.6,
        label=f"measured: γ_meas = {measured.value:.3f} ± {measured.stderr:.3f}",
    )
    axes.plot(
        np.exp(x),
        np.exp(level - predicted.value * away),
        color=style.ACCENT,
        linestyle="--",
        linewidth=2,
        label=f"predicted: γ₁γ₂ = {predicted.value:.3f} ± {predicted.stderr:.3f}",
    )
    limits = np.exp(level - np.outer([predicted.low, predicted.high], away))
    axes.fill_between(
        np.exp(x),
        limits.min(axis=0),
        limits.max(axis=0),
        color=style.ACCENT,
        alpha=0.18,
        linewidth=0,
        label=f"predicted, {analysis.confidence:.0%} confidence",
    )
    style.set_train_size_axis(axes)
    style.set_log_error_axis(axes, "least test error ε_opt (fraction)")
    axes.legend(fontsize="small")
    return figure
