"""The product of all spectral norms."""

from __future__ import annotations

from math import exp, fsum
from typing import Literal

from pydantic import Field

from normlaw_plugins.complexity.logs import exactness_of_product
from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, Params


class SpectralNormProductParams(Params):
    """Parameters of `spectral_norm_product`."""

    matrices: Literal["applied", "kernel"] = Field(
        default="applied",
        description="norms of the layers as they are applied, or of kernels as matrices (out, in*kh*kw)",
    )


def measure(params: SpectralNormProductParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of prod_i ||A_i||_sigma.

    With `matrices: applied`, and a network without shortcuts, attention and LayerNorm, times the Lipschitz
    constants of the nonlinearities this bounds the network's Lipschitz constant.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """
    norm = context.operator_norm if params.matrices == "applied" else context.kernel_norm
    quantity = "operator_norm" if params.matrices == "applied" else "kernel_norm"
    values = {linear_map.name: norm(linear_map) for linear_map in context.linear_maps}
    exactness, tolerance = exactness_of_product(values.values())
    return MeasuredValue(
        log_value=fsum(value.log_value for value in values.values()),
        exactness=exactness,
        tolerance=tolerance,
        layers={name: {quantity: exp(value.log_value)} for name, value in values.items()},
    )


SPECTRAL_NORM_PRODUCT = ComplexityMeasure(
    name="spectral_norm_product",
    summary="Product of the spectral norms of all linear maps",
    source="Neyshabur, Bhojanapalli, Srebro 2018, arXiv:1707.09564; appendix of arXiv:2505.13230",
    formula=r"\lambda = \prod_i {\left\|A_i\right\|}_\sigma",
    params=SpectralNormProductParams,
    measure=measure,
)
