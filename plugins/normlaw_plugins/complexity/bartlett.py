"""The formula that the spectral complexities share, in the log domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp, fsum, log

from normlaw_registry import EntryNorms, Exactness, LinearMap, MeasuredValue, MeasurementContext, NormlawError

Layers = Mapping[str, Mapping[str, float]]


def log_of(value: float, linear_map: LinearMap, quantity: str) -> float:
    """Return ln(value).

    Raises:
        NormlawError: the value is zero; names the layer.

    """
    if value > 0.0:
        return log(value)
    raise NormlawError(
        f"layer {linear_map.name!r}: its {quantity} is zero, so the log of the norm is not finite"
    )


def log_sum_exp(logs: list[float]) -> float:
    """Return ln(sum_i exp(l_i)); -inf for the log of zero is allowed beside finite ones."""
    top = max(logs)
    return top + log(fsum(exp(value - top) for value in logs))


def spectral_complexity(
    context: MeasurementContext,
    norm: Callable[[LinearMap], MeasuredValue],
    entries: Callable[[LinearMap], EntryNorms],
) -> MeasuredValue:
    """Return ln R, R = (prod_i rho_i s_i) (sum_i (b_i / s_i)^(2/3))^(3/2), over all linear maps.

    s_i is `norm` and b_i = ||A_i^T - M_i^T||_{2,1} is the `rows_2_1` of `entries`. Where every map is equal
    to its reference matrix, R is zero and has no log.

    Raises:
        NormlawError: a weight is zero or not finite (names the layer), or no weight differs from its reference.

    """
    product: list[float] = []
    terms: list[float] = []
    layers: dict[str, dict[str, float]] = {}
    values: list[MeasuredValue] = []
    for linear_map in context.linear_maps:
        value = norm(linear_map)
        group = entries(linear_map).rows_2_1
        values.append(value)
        product.append(log(linear_map.lipschitz) + value.log_value)
        if group > 0.0:
            terms.append(2 / 3 * (log(group) - value.log_value))
        layers[linear_map.name] = {"log_norm": value.log_value, "group_norm_2_1": group}
    if not terms:
        raise NormlawError(
            "every weight equals its reference matrix, so that the spectral complexity is zero and has no log; "
            "measure it only after the first step, or with reference: zero"
        )
    exactness, tolerance = weakest(values)
    return MeasuredValue(
        log_value=fsum(product) + 1.5 * log_sum_exp(terms),
        exactness=exactness,
        tolerance=tolerance,
        layers=layers,
    )


def weakest(values: list[MeasuredValue]) -> tuple[Exactness, float]:
    """Return what can be said of a product of norms: its exactness and its relative error."""
    kinds = {value.exactness for value in values}
    exactness: Exactness = "estimate" if "estimate" in kinds else "exact"
    if "upper_bound" in kinds:
        exactness = "estimate" if "estimate" in kinds else "upper_bound"
    return exactness, fsum(value.tolerance for value in values)
