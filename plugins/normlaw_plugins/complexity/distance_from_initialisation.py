"""How far the weights have moved."""

from __future__ import annotations

from math import fsum, log

from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, Params, UndefinedNormError


def measure(_params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return the log of sqrt(sum_i ||A_i - A_i(0)||_F^2) over all linear maps, normalisations folded in.

    Raises:
        UndefinedNormError: no weight has moved.
        NormlawError: a weight is not finite; names the layer.

    """
    moved = {m.name: context.moved_entry_norms(m).frobenius for m in context.linear_maps}
    total = fsum(distance**2 for distance in moved.values())
    if total == 0.0:
        raise UndefinedNormError(
            "distance_from_initialisation: no weight has moved, and a distance of zero has no log; measure it "
            "only after the first step"
        )
    return MeasuredValue(
        log_value=log(total) / 2, layers={name: {"distance": value} for name, value in moved.items()}
    )


DISTANCE_FROM_INITIALISATION = ComplexityMeasure(
    name="distance_from_initialisation",
    summary="2-norm of the weights' displacement since initialisation",
    source="Nagarajan, Kolter 2019, arXiv:1901.01672",
    formula=r"\lambda = \left(\sum_i {\left\|A_i - A_i(0)\right\|}_F^2\right)^{1/2}",
    measure=measure,
    needs_initial=lambda params: True,
)
