"""The operator norm from root mean square to largest entry, of every layer and of the last one."""

from __future__ import annotations

from math import exp, log

from normlaw_plugins.complexity.logs import log_of
from normlaw_plugins.complexity.of_layers import OfLayersParams, of_layers
from normlaw_registry import ComplexityMeasure, LinearMap, MeasuredValue, MeasurementContext


def _rms_inf(params: OfLayersParams, linear_map: LinearMap) -> MeasuredValue:
    """Return ln (sqrt(n_in) max_j |A_j|_2), A_j the rows of a layer's matrix."""
    from normlaw_plugins.complexity.geometry import largest_row, sizes

    inputs, _ = sizes(linear_map, params.matrices)
    row = log_of(largest_row(linear_map, params.matrices), linear_map, "weight")
    return MeasuredValue(log_value=row + log(inputs) / 2)


def every_layer(params: OfLayersParams, context: MeasurementContext) -> MeasuredValue:
    """Return ln (sqrt(n_in) max_j |A_i,j|_2) of each layer i, and the log of their product.

    The largest output of a layer for inputs of root mean square 1: the mean is over the n_in inputs of one
    example, of all channels and positions of a convolution as it is applied, and of one token where there are
    several.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """
    return of_layers(context, lambda linear_map: _rms_inf(params, linear_map), "rms_inf_norm", "product")


def output_layer(params: OfLayersParams, context: MeasurementContext) -> MeasuredValue:
    """Return the same of the last linear map alone.

    Raises:
        NormlawError: its weight is zero or not finite; names the layer.

    """
    last = context.linear_maps[-1]
    value = _rms_inf(params, last)
    return MeasuredValue(log_value=value.log_value, layers={last.name: {"rms_inf_norm": exp(value.log_value)}})


RMS_INF_NORMS = ComplexityMeasure(
    name="rms_inf_norms",
    summary="RMS to infinity operator norm of every layer, an abscissa each; together, their product",
    source="Filatov, Wang, Ebert, Kesselheim 2025, arXiv:2510.03871",
    formula=(
        r"\lambda_i = \sqrt{n_{in}} \; \max_j {\left\|A_{i,j}\right\|}_2, \quad \lambda = \prod_i \lambda_i"
    ),
    params=OfLayersParams,
    measure=every_layer,
    gives=("parts",),
)

OUTPUT_LAYER_NORM = ComplexityMeasure(
    name="output_layer_norm",
    summary="RMS to infinity operator norm of the last layer",
    source="Filatov, Wang, Ebert, Kesselheim 2025, arXiv:2510.03871",
    formula=r"\lambda = \sqrt{n_{in}} \; \max_j {\left\|A_{L,j}\right\|}_2",
    params=OfLayersParams,
    measure=output_layer,
)
