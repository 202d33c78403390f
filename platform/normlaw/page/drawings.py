"""The page's own figure: curves as they come, with the laws of the latest fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw.analysis.figures import style
from normlaw.analysis.figures.envelope import draw_model
from normlaw.analysis.figures.error_against_norm import mean_curves_figure
from normlaw.analysis.figures.style import LN10
from normlaw_registry import Response
from normlaw_registry.curves import mean_curves
from normlaw_registry.curves.columns import floats, run_slices

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.results import Analysis


def live_curves(
    points: pd.DataFrame, singles: pd.DataFrame, response: Response, across: str, analysis: Analysis | None
) -> Drawing:
    """Return the mean curve of each train size, runs one by one, and what the latest fit says of them.

    Args:
        points: what is averaged, see `points.averaged`; must not be empty.
        singles: the points of the runs that are drawn one by one.
        response: what the column test_error holds.
        across: what the horizontal axis is called.
        analysis: the laws that were fitted last, in the same norm and response; None: none yet.

    """
    means = mean_curves(points)
    figure, axes, curves = mean_curves_figure(points, means, style.PAGE)
    styles = style.size_styles(list(curves))
    for group, own in singles.groupby("train_size", sort=True):
        size = int(str(group))
        x, y = floats(own, "log_norm") / LN10, floats(own, "test_error")
        run, name = own["run"].to_numpy(), own["name"].to_numpy()
        figure.record("single run", train_size=size, log10_norm=x, error=y, run=run, name=name)
        colour = styles[size][0] if size in styles else style.QUIET
        for _, _, rows in run_slices(own):
            axes.plot(x[rows], y[rows], color=colour, linewidth=0.5, alpha=0.6)
    if analysis is not None:
        draw_model(figure, axes, analysis, curves, style.PAGE)
    style.set_log_norm_axis(axes, across)
    style.set_log_error_axis(axes, style.response_label(response))
    style.size_legend(figure)
    return figure
