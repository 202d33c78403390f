"""`normlaw.plot`: a figure of an analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normlaw.analysis import Analysis


def plot(
    analysis: Analysis, figure: str = "error_against_norm", *, width: Literal["page", "column"] = "page"
) -> Figure:
    """Return a figure of an analysis.

    Args:
        analysis: what `fit` returns, or `.analysis` of what `analyse` returns.
        figure: error_against_norm, collapse, optimal_norm, endpoint_law; where the protocol gives their tables,
            departure, local_exponent, joint_region and sensitivity.
        width: across a page, or in one of two columns of print. Figures of one's own look so with
            `matplotlib.pyplot.style.use("normlaw.page")` or "normlaw.column".

    Raises:
        InputError: the analysis has no such figure (names those that it has), or there is no such width.

    """
    from normlaw.analysis.figures import figures
    from normlaw.analysis.figures.style import COLUMN, PAGE

    if width not in ("page", "column"):
        raise InputError(f"a figure is as wide as a 'page' or a 'column', not {brief(width)}")
    drawn = figures(analysis, COLUMN if width == "column" else PAGE)
    if figure not in drawn:
        raise InputError(f"no figure {figure!r} of this analysis: {suggestion(figure, list(drawn))}")
    return drawn[figure]
