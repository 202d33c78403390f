"""Measures of every layer by itself: a number each, and one number of them all."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, fsum
from typing import Literal

from pydantic import Field

from normlaw_plugins.complexity.logs import exactness_of_product, log_sum_exp
from normlaw_registry import LinearMap, MeasuredValue, MeasurementContext, Params


class OfLayersParams(Params):
    """Which matrix of each layer is measured."""

    matrices: Literal["applied", "kernel"] = Field(
        default="applied",
        description="the layers as they are applied, at all positions, or kernels as matrices (out, in*kh*kw)",
    )


def of_layers(
    context: MeasurementContext,
    taken: Callable[[LinearMap], MeasuredValue],
    quantity: str,
    together: Literal["product", "sum"],
) -> MeasuredValue:
    """Return a measure of each layer as its parts, and their product or sum as the one number.

    Args:
        context: the measuring point.
        taken: of one layer.
        quantity: what it is called in tables of layers.
        together: how they become one number.

    """
    values = {linear_map.name: taken(linear_map) for linear_map in context.linear_maps}
    exactness, tolerance = exactness_of_product(values.values())
    logs = {name: value.log_value for name, value in values.items()}
    return MeasuredValue(
        log_value=fsum(logs.values()) if together == "product" else log_sum_exp(list(logs.values())),
        exactness=exactness,
        tolerance=tolerance,
        layers={name: {quantity: exp(log)} for name, log in logs.items()},
        parts=logs,
    )
