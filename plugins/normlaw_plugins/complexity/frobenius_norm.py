"""Frobenius norms of the layers."""

from __future__ import annotations

from normlaw_plugins.complexity.across_layers import AcrossLayersParams, across_layers
from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext


def measure(params: AcrossLayersParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of sum_i ||A_i||_F or of prod_i ||A_i||_F; of all weights as one vector: `weight_norm`.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """
    return across_layers(params, context, lambda m: context.entry_norms(m).frobenius, "frobenius_norm")


FROBENIUS_NORM = ComplexityMeasure(
    name="frobenius_norm",
    summary="Frobenius norms of all layers, added or multiplied",
    source="Neyshabur, Tomioka, Srebro 2015, arXiv:1503.00036; appendix of arXiv:2505.13230",
    formula=r"\lambda = \sum_i {\left\|A_i\right\|}_F \quad\mathrm{or}\quad \prod_i {\left\|A_i\right\|}_F",
    params=AcrossLayersParams,
    measure=measure,
)
