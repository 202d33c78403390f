"""Figures of an analysis: pure functions, one a file, drawn without pyplot."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from normlaw.analysis.results import Analysis


def figures(analysis: Analysis) -> dict[str, Figure]:
    """Return every figure of the analysis by name."""
    from normlaw.analysis.figures.collapse import collapse
    from normlaw.analysis.figures.endpoint_law import endpoint_law
    from normlaw.analysis.figures.envelope import local_exponent
    from normlaw.analysis.figures.error_against_norm import error_against_norm
    from normlaw.analysis.figures.optimal_norm import optimal_norm
    from normlaw.analysis.figures.sensitivity import sensitivity

    drawings = [error_against_norm, collapse, optimal_norm, endpoint_law]
    if "sensitivity" in analysis.findings.tables:
        drawings.append(sensitivity)
    if "local_exponent" in analysis.findings.tables:
        drawings.append(local_exponent)
    return {draw.__name__: draw(analysis) for draw in drawings}
