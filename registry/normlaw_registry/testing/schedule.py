"""What every schedule must do."""

from __future__ import annotations

from math import isfinite
from typing import Any

from normlaw_registry.component import Params
from normlaw_registry.schedule import Schedule
from normlaw_registry.testing.verdict import require

LENGTHS = (1, 2, 40, 1000)


def check_schedule(schedule: Schedule[Any], params: Params) -> None:
    """Ask for the factor of each step of short and long runs, and of steps behind their end.

    It must be a number, finite, not negative, the same when asked again, above zero somewhere, and, where it
    says that it does not need the length, the same for all lengths.
    """
    first: list[float] = []
    for steps in LENGTHS:
        factors = [schedule.factor(params, step, steps) for step in range(steps + 2)]
        for step, factor in enumerate(factors):
            require(
                schedule,
                isinstance(factor, float | int) and isfinite(factor) and factor >= 0,
                f"`factor` at step {step} of {steps} must be a finite number, not below zero, got {factor!r}",
            )
        require(
            schedule, max(factors) > 0, f"`factor` is zero at all of {steps} steps: nothing would be learnt"
        )
        require(
            schedule,
            factors == [schedule.factor(params, step, steps) for step in range(steps + 2)],
            "`factor` is another when it is asked again: it must depend on its arguments alone",
        )
        if not schedule.needs_length:
            require(
                schedule,
                factors[: len(first)] == first,
                "`factor` depends on `steps`, and needs_length=False says that it does not",
            )
            first = factors
