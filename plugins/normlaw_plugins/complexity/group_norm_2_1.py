"""(2,1) group norms of the layers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from normlaw_plugins.complexity.across_layers import AcrossLayersParams, across_layers
from normlaw_registry import ComplexityMeasure, LinearMap, MeasuredValue, MeasurementContext


class GroupNormParams(AcrossLayersParams):
    """Parameters of `group_norm_2_1`."""

    group: Literal["output", "input"] = Field(
        default="output",
        description="a group is the weights into one output (||A^T||_{2,1}) or from one input (||A||_{2,1})",
    )


def measure(params: GroupNormParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of sum_i ||A_i^T||_{2,1} or of its product, with kernels as matrices (out, in*kh*kw).

    ||B||_{2,1} is the sum of the 2-norms of B's columns.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """

    def norm(linear_map: LinearMap) -> float:
        entries = context.entry_norms(linear_map)
        return entries.rows_2_1 if params.group == "output" else entries.columns_2_1

    return across_layers(params, context, norm, "group_norm_2_1")


GROUP_NORM_2_1 = ComplexityMeasure(
    name="group_norm_2_1",
    summary="(2,1) group norms of all layers, added or multiplied",
    source="Bartlett, Foster, Telgarsky 2017, arXiv:1706.08498; appendix of arXiv:2505.13230",
    formula=(
        r"\lambda = \sum_i {\left\|A_i^T\right\|}_{2,1} \quad\mathrm{or}\quad \prod_i "
        r"{\left\|A_i^T\right\|}_{2,1}"
    ),
    params=GroupNormParams,
    measure=measure,
)
