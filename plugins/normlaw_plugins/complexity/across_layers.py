"""Entrywise norms of the layers, added or multiplied."""

from __future__ import annotations

from collections.abc import Callable
from math import fsum
from typing import Literal

from pydantic import Field

from normlaw_plugins.complexity.logs import log_of, log_sum_exp
from normlaw_registry import LinearMap, MeasuredValue, MeasurementContext, Params


class AcrossLayersParams(Params):
    """How the norms of the layers become one."""

    across_layers: Literal["sum", "product"] = Field(
        default="sum", description="add the layers' norms, or multiply them"
    )


def across_layers(
    params: AcrossLayersParams, context: MeasurementContext, norm: Callable[[LinearMap], float], quantity: str
) -> MeasuredValue:
    """Return the log of the sum, or of the product, of a norm over all linear maps.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """
    values: dict[str, float] = {}
    logs: list[float] = []
    for linear_map in context.linear_maps:
        value = norm(linear_map)
        values[linear_map.name] = value
        logs.append(log_of(value, linear_map, "weight"))
    return MeasuredValue(
        log_value=fsum(logs) if params.across_layers == "product" else log_sum_exp(logs),
        layers={name: {quantity: value} for name, value in values.items()},
    )
