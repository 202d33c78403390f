"""Which figures of a report move, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw.analysis.collapse import GRID
from normlaw.analysis.figures import style
from normlaw.analysis.interactive import IN_MOTION, MOVED
from normlaw.analysis.interactive.bokeh_figure import interactive
from normlaw.analysis.interactive.embedding import Json, Motion, item_of
from normlaw.analysis.interactive.moved import fitted_gammas, moved_by, moved_curves
from normlaw.analysis.interactive.series import plot_of
from normlaw.analysis.interactive.single_runs import shortened, single_runs
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.links import Links
    from normlaw.analysis.results import Analysis


def motion_of(
    drawings: Mapping[str, Drawing],
    points: pd.DataFrame,
    links: Links | None = None,
    analysis: Analysis | None = None,
) -> Motion | None:
    """Return what a page carries to draw figures in motion; None where none of them can be.

    Args:
        drawings: the figures in print, by name.
        points: of the runs, as a protocol is given them: the curves of single runs.
        links: where the runs are.
        analysis: the laws, by which the collapse begins that is moved by hand; None: there is none.

    """
    names = [name for name in IN_MOTION if name in drawings and drawings[name].parts]
    if not names:
        return None
    runs = {run.run: run for run in links.runs if run.run} if links else {}
    called = {run: one.name for run, one in runs.items()}
    items = {}
    for name in names:
        parts = drawings[name].parts
        if name == IN_MOTION[0]:
            parts = [*single_runs(points, called), *parts]
        drawn, _ = interactive(drawings[name], shortened(plot_of(parts)))
        for line in drawn.renderers:
            line.visible = not str(line.name).startswith("lines single run")  # until they are asked for
        items[name] = item_of(drawn, name)
    moved = None
    if analysis is not None:
        moved, items[MOVED] = _to_be_moved(analysis)
    return Motion(items, moved, {run: one.address for run, one in runs.items()})


def _to_be_moved(analysis: Analysis) -> tuple[Json, Json]:
    """Return what the collapse is moved by, and how it is drawn at first."""
    gamma_0, gamma_1, gamma_2 = fitted_gammas(analysis)
    first = moved_by(analysis.mean_curves, gamma_1, gamma_2, gamma_0)
    with _page_style():
        drawing = moved_curves(first, analysis.response)
    drawn, plot = interactive(drawing, as_printed=False)
    unmoved = moved_by(analysis.mean_curves, 0.0, 0.0, 0.0).curves
    sizes = unmoved["train_size"].unique().astype(np.float64)
    middle = float(np.log(sizes).mean())
    curves = []
    for one in plot.series:
        own = unmoved[unmoved["train_size"] == one.train_size]
        curves.append(
            {
                "key": one.key,
                "size": float(np.log(float(one.train_size or 1)) - middle),
                "x": floats(own, "log_norm").tolist(),
                "y": floats(own, "log_error").tolist(),
            }
        )
    by = {"curves": curves, "gammas": [gamma_0, gamma_1, gamma_2], "grid": GRID, "log": plot.x_log}
    return by, item_of(drawn, MOVED)


def _page_style() -> Any:
    from matplotlib import style as matplotlib_style

    return matplotlib_style.context(style.PAGE.style)
