"""The 2-norm of all weights: |w|/sqrt(N) for the perceptron."""

from __future__ import annotations

from math import fsum, log

from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, NormlawError, Params


def weight_norm(params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return the log of sqrt(sum_i ||A_i||_F^2) over all linear maps.

    For a perceptron f(x) = w.x/sqrt(N), whose one matrix is w/sqrt(N), this is lambda = |w|/sqrt(N).

    Raises:
        NormlawError: a weight is not finite (names the layer), or all weights are zero.

    """
    squares = {m.name: context.entry_norms(m).frobenius ** 2 for m in context.linear_maps}
    total = fsum(squares.values())
    if total == 0.0:
        raise NormlawError(f"all weights are zero ({', '.join(squares)}): the log of their norm is not finite")
    return MeasuredValue(log_value=log(total) / 2)


WEIGHT_NORM = ComplexityMeasure(
    name="weight_norm",
    summary="2-norm of all weights; |w|/sqrt(N) for the perceptron",
    source="D'Amico, Bocchi, Negri, arXiv 2505.13230, section 2",
    measure=weight_norm,
)
