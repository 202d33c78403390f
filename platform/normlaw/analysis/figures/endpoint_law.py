"""Figure: the least error against the train size, measured, predicted, and what is to be expected beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.figures.view import view
from normlaw_registry import NormlawError
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis

BEYOND = 10
"""How far past the largest train size the predictions reach."""
POINTS = 60


def endpoint_law(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return the least errors with the measured law and the predicted one, up to ten times the largest size.

    Beyond the largest size the protocol's own model says what is to be expected, where it has one.
    """
    figure, axes = style.sized_figure(size, legend_rows=4)
    train_size, log_error = least_errors(figure, axes, analysis, size)
    x = np.log(train_size)
    centre, level = x.mean(), log_error.mean()
    measured, predicted = analysis.gamma_meas, analysis.gamma_pred
    line = np.array([x.min(), x.max()])
    law = np.exp(level - measured.value * (line - centre))
    figure.record("measured law", train_size=np.exp(line), error=law)
    label = rf"measured: $γ_\mathrm{{meas}}$ = {measured.value:.3f} ± {measured.stderr:.3f}"
    axes.plot(np.exp(line), law, color=style.INK, linewidth=1.4 * size.mark, label=label)
    far = np.linspace(x.min(), x.max() + np.log(BEYOND), POINTS)
    away = far - centre
    if np.isfinite(predicted.value):
        to = far if analysis.findings.predict is None else np.linspace(x.min(), x.max(), POINTS)
        law = np.exp(level - predicted.value * (to - centre))
        limits = np.exp(level - np.outer([predicted.low, predicted.high], to - centre))
        low, high = limits.min(axis=0), limits.max(axis=0)
        figure.record("predicted law", train_size=np.exp(to), error=law, low=low, high=high)
        label = rf"predicted slope: $γ_\mathrm{{pred}}$ = {predicted.value:.3f} ± {predicted.stderr:.3f}"
        axes.plot(np.exp(to), law, color=style.ACCENT, linestyle="--", linewidth=1.6 * size.mark, label=label)
        label = f"predicted slope, {analysis.confidence:.0%} confidence"
        axes.fill_between(np.exp(to), low, high, color=style.ACCENT, alpha=0.2, linewidth=0, label=label)
    draw_model(figure, axes, analysis, np.exp(far[far >= x.max()]), size)
    axes.axvline(np.exp(x.max()), color=style.QUIET, linestyle=":", linewidth=0.8)
    style.set_train_size_axis(axes, analysis.unit, size)
    style.set_log_error_axis(axes, style.response_label(analysis.response, "least", "opt"))
    low, high = axes.get_ylim()
    seen = view(np.r_[log_error, level - measured.value * away], (np.log(low), np.log(high)), np.log(2.0))
    axes.set_ylim(*np.exp(seen))
    style.legend(figure, axes, size)
    return figure


def least_errors(
    figure: Drawing, axes: Axes, analysis: Analysis, size: style.Size
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the measured least errors with their bars; return train sizes and log errors, (sizes,) each.

    They are the protocol's table `endpoints`, where it gives one, else the mean optima of the runs.
    """
    table = analysis.findings.tables.get("endpoints")
    if table is not None:
        x, log_error = floats(table, "train_size"), floats(table, "log_error")
        low, high = np.exp(floats(table, "low")), np.exp(floats(table, "high"))
        label = f"least {analysis.response.noun}, {analysis.confidence:.0%} confidence"
    else:
        optima = analysis.size_optima
        x, log_error = floats(optima, "train_size"), floats(optima, "log_error")
        reach = np.nan_to_num(floats(optima, "log_error_stderr"))
        low, high = np.exp(log_error - reach), np.exp(log_error + reach)
        label = f"least {analysis.response.noun}, mean over runs ± standard error"
    y = np.exp(log_error)
    figure.record("least error", train_size=x, error=y, low=low, high=high)
    axes.errorbar(
        x,
        y,
        yerr=np.maximum(np.nan_to_num(np.stack([y - low, high - y])), 0.0),
        linestyle="none",
        marker="s",
        markersize=4.5 * size.mark,
        capsize=2.5 * size.mark,
        color=style.INK,
        label=label,
        zorder=4,
    )
    known = np.isfinite(log_error)
    return x[known], log_error[known]


def draw_model(
    figure: Drawing, axes: Axes, analysis: Analysis, train_size: np.ndarray, size: style.Size
) -> None:
    """Draw the least errors that the protocol's own model predicts at further train sizes, if it has one.

    Raises:
        NormlawError: its `predict` fails; names the protocol.

    """
    predict = analysis.findings.predict
    if predict is None:
        return
    try:
        table = predict(train_size, None)
    except Exception as error:  # a plugin's own code may fail in any way
        reason = f"{type(error).__name__}: {error}"
        raise NormlawError(f"`predict` of protocol {analysis.protocol!r} failed: {reason}") from error
    y, low, high = (np.exp(floats(table, name)) for name in ("log_error", "log_error_low", "log_error_high"))
    if not np.isfinite(y).any():
        return
    figure.record("predicted by the model", train_size=train_size, error=y, low=low, high=high)
    label = f"fitted model, {analysis.confidence:.0%} confidence"
    axes.plot(
        train_size, y, color=style.SECOND, linestyle="-.", linewidth=1.4 * size.mark, zorder=3, label=label
    )
    axes.fill_between(train_size, low, high, color=style.SECOND, alpha=0.25, linewidth=0)
