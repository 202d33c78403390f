"""`normlaw.plot`: a figure of an analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_registry import InputError
from normlaw_registry.errors import suggestion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normlaw.analysis import Analysis


def plot(analysis: Analysis, figure: str = "error_against_norm") -> Figure:
    """Return a figure of an analysis.

    Args:
        analysis: what `fit` returns, or `.analysis` of what `analyse` returns.
        figure: error_against_norm, collapse, optimal_norm, endpoint_law; where the protocol gives their tables,
            departure, local_exponent, joint_region and sensitivity.

    Raises:
        InputError: the analysis has no such figure; names those that it has.

    """
    from normlaw.analysis.figures import figures

    drawn = figures(analysis)
    if figure not in drawn:
        raise InputError(f"no figure {figure!r} of this analysis: {suggestion(figure, list(drawn))}")
    return drawn[figure]
