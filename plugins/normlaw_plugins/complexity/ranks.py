"""Ranks of layers that are no whole numbers: how many singular values count."""

from __future__ import annotations

from dataclasses import replace
from math import fsum, log

from normlaw_plugins.complexity.of_layers import of_layers
from normlaw_registry import (
    ComplexityMeasure,
    LinearMap,
    MeasuredValue,
    MeasurementContext,
    NormlawError,
    Params,
)


def stable(_params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return ln (||A_i||_F^2 / ||A_i||_sigma^2) of each layer's matrix, and the log of their sum.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """

    def taken(linear_map: LinearMap) -> MeasuredValue:
        norm, frobenius = context.kernel_norm(linear_map), context.entry_norms(linear_map).frobenius
        value = 2 * (log(frobenius) - norm.log_value)
        return replace(norm, log_value=max(0.0, value), tolerance=2 * norm.tolerance)

    return of_layers(context, taken, "stable_rank", "sum")


def effective(_params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return the entropy -sum_k p_k ln p_k, p_k = s_k / sum_l s_l, of each layer, and ln of the sum of ranks.

    s_k are the singular values of the layer's matrix; the exponential of their entropy is its effective rank.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """

    def taken(linear_map: LinearMap) -> MeasuredValue:
        values = [value for value in context.singular_values(linear_map) if value > 0.0]
        if not values:
            raise NormlawError(f"layer {linear_map.name!r}: its weight is zero, and zero has no rank")
        total = fsum(values)
        return MeasuredValue(log_value=max(0.0, -fsum(s / total * log(s / total) for s in values)))

    return of_layers(context, taken, "effective_rank", "sum")


def singular_values(_params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return all singular values of each layer's matrix, and the log of the sum of all of all layers.

    Raises:
        NormlawError: a weight is not finite, or all are zero; names the layers.

    """
    spectra = {m.name: tuple(context.singular_values(m)) for m in context.linear_maps}
    nuclear = {name: fsum(values) for name, values in spectra.items()}
    total = fsum(nuclear.values())
    if total == 0.0:
        raise NormlawError(f"singular_values: all weights are zero (layers {', '.join(spectra)})")
    return MeasuredValue(
        log_value=log(total),
        layers={name: {"nuclear_norm": value} for name, value in nuclear.items()},
        spectra=spectra,
    )


STABLE_RANK = ComplexityMeasure(
    name="stable_rank",
    summary="Stable rank of every layer's matrix, an abscissa each; together, their sum",
    source="Rudelson, Vershynin 2007, arXiv:math/0503442; of networks: arXiv:1707.09564, theorem 1",
    formula=(
        r"\lambda_i = {\left\|A_i\right\|}_F^2 / {\left\|A_i\right\|}_\sigma^2, "
        r"\quad \lambda = \sum_i \lambda_i"
    ),
    measure=stable,
    gives=("parts",),
)

EFFECTIVE_RANK = ComplexityMeasure(
    name="effective_rank",
    summary="Effective rank of every layer's matrix, an abscissa each; together, their sum",
    source="Roy, Vetterli 2007, The effective rank, EUSIPCO, definition 1",
    formula=(
        r"\lambda_i = \exp\left(-\sum_k p_k \ln p_k\right), \quad p_k = \frac{s_k}{\sum_l s_l}, "
        r"\quad \lambda = \sum_i \lambda_i"
    ),
    measure=effective,
    gives=("parts",),
)

SINGULAR_VALUES = ComplexityMeasure(
    name="singular_values",
    summary="All singular values of every layer's matrix, drawn in the report; together, their sum",
    source="the nuclear norms of the layers",
    formula=r"\lambda = \sum_i \sum_k s_{i,k}",
    measure=singular_values,
    gives=("spectra",),
)
