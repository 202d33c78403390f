"""Entrywise L1 norms of the layers."""

from __future__ import annotations

from normlaw_plugins.complexity.across_layers import AcrossLayersParams, across_layers
from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext


def measure(params: AcrossLayersParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of sum_i ||A_i||_1 or of prod_i ||A_i||_1, with ||A||_1 the sum of |A_jk|.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """
    return across_layers(params, context, lambda m: context.entry_norms(m).l1, "l1_norm")


L1_NORM = ComplexityMeasure(
    name="l1_norm",
    summary="Entrywise L1 norms of all layers, added or multiplied",
    source="appendix of D'Amico, Bocchi, Negri 2025, arXiv:2505.13230",
    formula=(
        r"\lambda = \sum_i {\left\|A_i\right\|}_1 \quad\mathrm{or}\quad \prod_i "
        r"{\left\|A_i\right\|}_1, \qquad {\left\|A\right\|}_1 = \sum_{jk} |A_{jk}|"
    ),
    params=AcrossLayersParams,
    measure=measure,
)
