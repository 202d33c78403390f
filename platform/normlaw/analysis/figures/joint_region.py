"""Figure: the joint region of the predicted and the measured exponent of the endpoint law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from normlaw.analysis.figures import style

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis

LEVELS = (0.68, 0.95)
FLATTEST = 12
"""How many times as wide as high a region is drawn with equal units on both axes, at most."""


def joint_region(analysis: Analysis, size: style.Size = style.PAGE) -> Drawing:
    """Return the regions of 68 and 95 % of (gamma_pred, gamma_meas), normal, with the line of agreement.

    Taken from the protocol's extra result `joint`: its `mean`, (2,), and `covariance`, (2, 2).
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = style.sized_figure(size, legend_rows=4)
    joint = analysis.findings.extras["joint"]
    mean, covariance = np.asarray(joint["mean"], float), np.asarray(joint["covariance"], float)
    ends = [mean, mean]
    for level, alpha in reversed(list(zip(LEVELS, (0.45, 0.2), strict=True))):
        x, y = ellipse(mean, covariance, level)
        figure.record(f"{level:.0%} region", gamma_pred=x, gamma_meas=y)
        axes.fill(
            x, y, facecolor=style.SECOND, alpha=alpha, edgecolor=style.SECOND, label=f"{level:.0%} region"
        )
        ends = [np.minimum(ends[0], [x.min(), y.min()]), np.maximum(ends[1], [x.max(), y.max()])]
    figure.record("estimate", gamma_pred=[mean[0]], gamma_meas=[mean[1]])
    axes.plot(
        mean[0],
        mean[1],
        linestyle="none",
        marker="o",
        color=style.INK,
        markersize=5 * size.mark,
        label="estimate",
    )
    low, high = float(min(ends[0])), float(max(ends[1]))
    room = 0.1 * (high - low) or 0.05 * abs(high) or 0.1
    line = np.array([low - room, high + room])
    figure.record("agreement", gamma_pred=line, gamma_meas=line)
    axes.plot(line, line, color=style.ACCENT, linestyle="--", linewidth=1.4 * size.mark, label="agreement")
    axes.set(xlim=tuple(line), ylim=tuple(line), aspect="equal")
    across, up = ends[1] - ends[0]
    if up * FLATTEST < across:  # drawn to scale it would be a line
        axes.set(ylim=(ends[0][1] - up / 2, ends[1][1] + up / 2), aspect="auto")
        axes.set_box_aspect(1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=size.labels, steps=[1, 2, 5, 10]))
    axes.set_xlabel(r"predicted exponent $γ_\mathrm{pred}$")
    axes.set_ylabel(r"measured exponent $γ_\mathrm{meas}$")
    style.legend(figure, axes, size)
    return figure


def ellipse(mean: np.ndarray, covariance: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the edge of the region that holds a share of a normal variable in two dimensions, (181,) each.

    In two dimensions the squared distance in units of the covariance exceeds r^2 with probability e^(-r^2/2).
    """
    values, vectors = np.linalg.eigh(covariance)
    radius = np.sqrt(-2 * np.log1p(-level))
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)])  # (2, 181)
    x, y = mean[:, None] + radius * vectors @ (np.sqrt(np.maximum(values, 0.0))[:, None] * circle)
    return x, y


def has_joint(analysis: Analysis) -> bool:
    """Return whether the protocol gives a joint region that can be drawn."""
    joint = analysis.findings.extras.get("joint")
    if not isinstance(joint, dict):
        return False
    try:
        mean, covariance = np.asarray(joint["mean"], float), np.asarray(joint["covariance"], float)
    except (KeyError, TypeError, ValueError):
        return False
    shapes = mean.shape == (2,) and covariance.shape == (2, 2)
    return shapes and bool(np.isfinite(mean).all() and np.isfinite(covariance).all())
