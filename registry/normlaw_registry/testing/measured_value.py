"""What a complexity measure answers."""

from __future__ import annotations

import math
from typing import get_args

from normlaw_registry.complexity import ComplexityMeasure, Exactness, MeasuredValue
from normlaw_registry.host.vectors import problem_of
from normlaw_registry.testing.verdict import require


def check_value(measure: ComplexityMeasure, value: MeasuredValue) -> None:
    """Refuse what is no finite log of a norm, said to be what it can be, and vectors that are none."""
    require(
        measure,
        isinstance(value, MeasuredValue),
        f"`measure` must return MeasuredValue(log_value=...), got {type(value).__name__}",
    )
    require(
        measure,
        isinstance(value.log_value, float) and math.isfinite(value.log_value),
        f"`log_value` must be a finite float, the natural log of the norm, got {value.log_value!r}",
    )
    require(
        measure,
        value.exactness in get_args(Exactness),
        f"`exactness` must be one of {', '.join(get_args(Exactness))}, got {value.exactness!r}",
    )
    require(
        measure,
        value.tolerance > 0 and math.isfinite(value.tolerance),
        f"`tolerance` must be a positive relative error of the norm, got {value.tolerance!r}",
    )
    problem = problem_of(measure, value)
    require(measure, problem is None, f"`measure`: {problem}")
    for layer, quantities in value.layers.items():
        for quantity, number in quantities.items():
            require(measure, isinstance(number, float), f"layers[{layer!r}][{quantity!r}] must be a float")
