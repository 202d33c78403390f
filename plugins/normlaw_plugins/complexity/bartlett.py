"""The formula that the spectral complexities share: Bartlett, Foster, Telgarsky 2017, eq. 1.2."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, fsum, isfinite, log

from normlaw_plugins.complexity.logs import exactness_of_product, log_sum_exp
from normlaw_registry import LinearMap, MeasuredValue, MeasurementContext, UndefinedNormError


def bartlett(
    context: MeasurementContext,
    norm: Callable[[LinearMap], MeasuredValue],
    group_norm: Callable[[LinearMap], float],
    quantity: str,
) -> MeasuredValue:
    """Return ln R, R = (prod_i rho_i s_i) (sum_i (b_i / s_i)^(2/3))^(3/2), over all linear maps.

    Args:
        context: of the measuring point; gives the maps, and rho_i with each.
        norm: gives s_i = ||A_i||_sigma.
        group_norm: gives b_i = ||A_i^T - M_i^T||_{2,1}; not all may be zero.
        quantity: what to call s_i in the result's `layers`.

    Raises:
        UndefinedNormError: every map equals its reference.
        NormlawError: a weight is zero or not finite; names the layer.

    """
    factors: list[float] = []
    terms: list[float] = []
    values: list[MeasuredValue] = []
    layers: dict[str, dict[str, float]] = {}
    for linear_map in context.linear_maps:
        value, group = norm(linear_map), group_norm(linear_map)
        values.append(value)
        factors.append(log(linear_map.lipschitz) + value.log_value)
        if group > 0.0:
            terms.append(2 / 3 * (log(group) - value.log_value))
        layers[linear_map.name] = {quantity: exp(value.log_value), "group_norm_2_1": group}
    log_value = fsum(factors) + 1.5 * log_sum_exp(terms)
    if not isfinite(log_value):
        raise UndefinedNormError(
            "every weight equals its reference matrix, so the spectral complexity is zero and has no log; "
            "measure it only after the first step, or with `reference: zero`"
        )
    exactness, tolerance = exactness_of_product(values)
    return MeasuredValue(log_value=log_value, exactness=exactness, tolerance=tolerance, layers=layers)
