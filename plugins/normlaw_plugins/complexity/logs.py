"""Norms of many layers put together in the log domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, fsum, inf, log

from normlaw_registry import Exactness, LinearMap, MeasuredValue, NormlawError


def log_of(value: float, linear_map: LinearMap, quantity: str) -> float:
    """Return ln(value).

    Raises:
        NormlawError: the value is zero; names the layer.

    """
    if value > 0.0:
        return log(value)
    raise NormlawError(f"layer {linear_map.name!r}: its {quantity} is zero, and zero has no log")


def log_sum_exp(logs: Sequence[float]) -> float:
    """Return ln(sum_i exp(l_i)), -inf for no terms.

    >>> log_sum_exp([1000.0, 1000.0])
    1000.6931471805599
    """
    top = max(logs, default=-inf)
    return top + log(fsum(exp(value - top) for value in logs)) if top > -inf else top


def exactness_of_product(values: Iterable[MeasuredValue]) -> tuple[Exactness, float]:
    """Return what can be said of a product of norms: the weakest exactness, and the relative error."""
    values = list(values)
    kinds = {value.exactness for value in values}
    weakest: Exactness = "exact"
    for kind in ("upper_bound", "estimate"):
        weakest = kind if kind in kinds else weakest
    return weakest, fsum(value.tolerance for value in values)
