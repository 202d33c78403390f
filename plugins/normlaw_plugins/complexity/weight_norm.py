"""The 2-norm of all weights: |w|/sqrt(N) for the perceptron."""

from __future__ import annotations

from math import fsum, log

from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, NormlawError, Params


def measure(_params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return the log of sqrt(sum_i ||A_i||_F^2) over all linear maps: the 2-norm of all weights as one vector.

    For a perceptron f(x) = w.x/sqrt(N), whose one matrix is w/sqrt(N), this is lambda = |w|/sqrt(N).

    Raises:
        NormlawError: a weight is not finite (names the layer), or all weights are zero.

    """
    norms = {m.name: context.entry_norms(m).frobenius for m in context.linear_maps}
    total = fsum(norm**2 for norm in norms.values())
    if total == 0.0:
        raise NormlawError(
            f"weight_norm: all weights are zero (layers {', '.join(norms)}), and zero has no log"
        )
    return MeasuredValue(
        log_value=log(total) / 2, layers={name: {"frobenius_norm": value} for name, value in norms.items()}
    )


WEIGHT_NORM = ComplexityMeasure(
    name="weight_norm",
    summary="2-norm of all weights; |w|/sqrt(N) for the perceptron",
    source="D'Amico, Bocchi, Negri 2025, arXiv:2505.13230, perceptron",
    formula=r"\lambda = \left(\sum_i {\left\|A_i\right\|}_F^2\right)^{1/2}",
    measure=measure,
)
