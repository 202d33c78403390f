"""Figures of an analysis: pure functions, one a file, drawn without pyplot."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from normlaw.analysis.cause.result import Cause
    from normlaw.analysis.figures.drawing import Drawing
    from normlaw.analysis.figures.style import Size
    from normlaw.analysis.results import Analysis
    from normlaw.analysis.scaling_collapse import ScalingCollapse

    Draw = Callable[[Analysis, Size], Drawing]


def figures(analysis: Analysis, size: Size | None = None) -> dict[str, Drawing]:
    """Return every figure of the analysis by name.

    Args:
        analysis: what was found; a figure whose tables the protocol does not give is left out.
        size: where they are printed; default: across a page.

    """
    from matplotlib import style

    from normlaw.analysis.figures.style import PAGE

    size = size or PAGE
    with style.context(size.style):
        return {draw.__name__: draw(analysis, size) for draw in drawn_of(analysis)}


def collapse_figures(found: ScalingCollapse, size: Size | None = None) -> dict[str, Drawing]:
    """Return every figure of a collapse by name; see `figures`."""
    from matplotlib import style

    from normlaw.analysis.figures.scaling_collapse import collapse_floors, scaling_collapse
    from normlaw.analysis.figures.style import PAGE

    size = size or PAGE
    with style.context(size.style):
        return {draw.__name__: draw(found, size) for draw in (scaling_collapse, collapse_floors)}


def cause_figures(found: Cause, size: Size | None = None) -> dict[str, Drawing]:
    """Return every figure of arms by name; see `figures`."""
    from matplotlib import style

    from normlaw.analysis.figures.cause import cause_curves, cause_doses, cause_shares
    from normlaw.analysis.figures.style import PAGE

    size = size or PAGE
    with style.context(size.style):
        return {draw.__name__: draw(found, size) for draw in (cause_curves, cause_shares, cause_doses)}


def drawn_of(analysis: Analysis) -> list[Draw]:
    """Return the figures that can be drawn of an analysis, in the order of a report."""
    from normlaw.analysis.figures import departure, joint_region, local_exponent
    from normlaw.analysis.figures.abscissas import abscissas
    from normlaw.analysis.figures.collapse import collapse
    from normlaw.analysis.figures.endpoint_law import endpoint_law
    from normlaw.analysis.figures.error_against_norm import error_against_norm
    from normlaw.analysis.figures.layer_growth import layer_growth
    from normlaw.analysis.figures.optimal_norm import optimal_norm
    from normlaw.analysis.figures.scaling_collapse import collapse_floors, scaling_collapse
    from normlaw.analysis.figures.sensitivity import sensitivity

    tables = analysis.findings.tables
    drawings: list[tuple[Draw, bool]] = [
        (error_against_norm, True),
        (departure.departure, departure.has_departures(analysis)),
        (collapse, True),
        (local_exponent.local_exponent, "local_exponent" in tables),
        (optimal_norm, True),
        (layer_growth, analysis.layer_growth is not None),
        (endpoint_law, True),
        (joint_region.joint_region, joint_region.has_joint(analysis)),
        (sensitivity, "sensitivity" in tables),
        (abscissas, "abscissas" in analysis.added_tables),
        (_of_collapse(scaling_collapse), analysis.scaling_collapse is not None),
        (_of_collapse(collapse_floors), analysis.scaling_collapse is not None),
    ]
    return [draw for draw, possible in drawings if possible]


def _of_collapse(draw: Callable[[ScalingCollapse, Size], Drawing]) -> Draw:
    """Return a figure of a collapse as one of the analysis that it belongs to."""

    @wraps(draw)
    def drawn(analysis: Analysis, size: Size) -> Drawing:
        assert analysis.scaling_collapse is not None
        return draw(analysis.scaling_collapse, size)

    return drawn
