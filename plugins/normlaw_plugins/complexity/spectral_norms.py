"""The spectral norm of every layer, and the same per root mean square of inputs and outputs."""

from __future__ import annotations

from dataclasses import replace
from math import log

from normlaw_plugins.complexity.of_layers import OfLayersParams, of_layers
from normlaw_registry import ComplexityMeasure, LinearMap, MeasuredValue, MeasurementContext


def spectral(params: OfLayersParams, context: MeasurementContext) -> MeasuredValue:
    """Return ln ||A_i||_sigma of each layer, and the log of their product.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """
    norm = context.operator_norm if params.matrices == "applied" else context.kernel_norm
    return of_layers(context, norm, "spectral_norm", "product")


def rms_rms(params: OfLayersParams, context: MeasurementContext) -> MeasuredValue:
    """Return ln (sqrt(n_in / n_out) ||A_i||_sigma) of each layer, and the log of their product.

    The largest root mean square of a layer's outputs for inputs of root mean square 1: means are over the
    n_in inputs and n_out outputs of one example, of all channels and positions of a convolution as it is
    applied, and of one token where there are several.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """
    from normlaw_plugins.complexity.geometry import sizes

    norm = context.operator_norm if params.matrices == "applied" else context.kernel_norm

    def taken(linear_map: LinearMap) -> MeasuredValue:
        inputs, outputs = sizes(linear_map, params.matrices)
        value = norm(linear_map)
        return replace(value, log_value=value.log_value + log(inputs / outputs) / 2)

    return of_layers(context, taken, "rms_rms_norm", "product")


SPECTRAL_NORMS = ComplexityMeasure(
    name="spectral_norms",
    summary="Spectral norm of every layer, an abscissa each; together, their product",
    source="the factors of the spectral norm product",
    formula=r"\lambda_i = {\left\|A_i\right\|}_\sigma, \quad \lambda = \prod_i \lambda_i",
    params=OfLayersParams,
    measure=spectral,
    gives=("parts",),
)

RMS_RMS_NORMS = ComplexityMeasure(
    name="rms_rms_norms",
    summary="RMS to RMS operator norm of every layer, an abscissa each; together, their product",
    source="Yang, Simon, Bernstein 2023, arXiv:2310.17813, equation 2",
    formula=(
        r"\lambda_i = \sqrt{n_{in} / n_{out}} \; {\left\|A_i\right\|}_\sigma, "
        r"\quad \lambda = \prod_i \lambda_i"
    ),
    params=OfLayersParams,
    measure=rms_rms,
    gives=("parts",),
)
