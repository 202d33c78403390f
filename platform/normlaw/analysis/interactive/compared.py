"""Predicted against measured exponents of studies, to be moved about in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from normlaw.analysis.comparison import Point, diagonal
from normlaw.analysis.figures import style
from normlaw.analysis.interactive.bokeh_figure import interactive
from normlaw.analysis.interactive.looks import MARKERS, Look
from normlaw.analysis.interactive.series import Plot, Series

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing

EXPONENTS = ("gamma_meas", "gamma_pred")


def compared(drawing: Drawing, points: Sequence[Point]) -> tuple[Any, Plot]:
    """Return the figure as Bokeh draws it, and the numbers in it.

    Args:
        drawing: the figure in print.
        points: what it draws.

    """
    end = diagonal(points)
    line = Series(
        "both equal", None, {"x": [0.0, end], "y": [0.0, end]}, Look(style.QUIET, line="dashed", width=1.0)
    )
    marks = [_marked(one) for one in points]
    return interactive(drawing, Plot((*marks, line), x_log=False, y_log=False, of_size=False, holds=EXPONENTS))


def _marked(one: Point) -> Series:
    x, y = one.measured, one.predicted
    called = f"{one.study} (published)" if one.published else one.study
    return Series(
        called,
        None,
        {
            "x": [x],
            "y": [y],
            "x_low": [x - one.measured_error],
            "x_high": [x + one.measured_error],
            "low": [y - one.predicted_error],
            "high": [y + one.predicted_error],
            "name": [called],
        },
        Look(one.colour, marker=MARKERS[one.marker], size=9, filled=not one.published),
    )
