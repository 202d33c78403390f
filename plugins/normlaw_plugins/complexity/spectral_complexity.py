"""Bartlett's spectral complexity of the network as it is: exact operators, all layers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from normlaw_plugins.complexity.bartlett import bartlett
from normlaw_registry import ComplexityMeasure, LinearMap, MeasuredValue, MeasurementContext, Params


class SpectralComplexityParams(Params):
    """Parameters of `spectral_complexity`."""

    reference: Literal["zero", "initial"] = Field(
        default="zero", description="reference matrices M_i: zero, or the weights at initialisation"
    )


def measure(params: SpectralComplexityParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of R, with every A_i the matrix of the layer as it is applied.

    R = (prod_i rho_i ||A_i||_sigma) (sum_i (||A_i^T - M_i^T||_{2,1} / ||A_i||_sigma)^(2/3))^(3/2). A
    convolution's A_i maps its whole input to its whole output, with its stride and padding: both of its norms
    are those of that matrix. A dense layer that is applied to T tokens has T equal blocks.

    Raises:
        NormlawError: a weight is zero or not finite (names the layer), or all equal their references.

    """
    from normlaw_plugins.complexity.applied import applied_group_norm

    references: dict[str, LinearMap] = {}
    if params.reference == "initial":
        references = {linear_map.name: linear_map for linear_map in context.initial_linear_maps}

    def group_norm(linear_map: LinearMap) -> float:
        return applied_group_norm(linear_map, references.get(linear_map.name))

    return bartlett(context, context.operator_norm, group_norm, "operator_norm")


SPECTRAL_COMPLEXITY = ComplexityMeasure(
    name="spectral_complexity",
    summary="Bartlett's spectral complexity: exact operator norms of all layers as they are applied",
    source="Bartlett, Foster, Telgarsky 2017, arXiv:1706.08498, eq. 1.2",
    formula=(
        r"R = \left(\prod_i \rho_i {\left\|A_i\right\|}_\sigma\right) \left(\sum_i "
        r"\left(\frac{{\left\|A_i^T - "
        r"M_i^T\right\|}_{2,1}}{{\left\|A_i\right\|}_\sigma}\right)^{2/3}\right)^{3/2}"
    ),
    params=SpectralComplexityParams,
    measure=measure,
    needs_initial=lambda params: params.reference == "initial",
)
