"""The learning rate as a function of the optimiser step."""

from __future__ import annotations

from normlaw.study.run_options import RateSchedule
from normlaw_registry import Catalogue, Schedule, validate_params


class RateFactor:
    """The factor on the learning rate for the update that leads from a step to the next.

    With W warm-up steps it is (step + 1) / W below W, then what the schedule says of `step - W` of `total - W`
    steps. It depends on nothing else, so that a resumed run goes on as it would have.

    Args:
        choice: the run's schedule.
        total: optimiser steps of the run.
        catalogue: where the schedule comes from.

    Raises:
        InputError: there is no such schedule, or a parameter is not allowed.

    """

    def __init__(self, choice: RateSchedule, total: int, catalogue: Catalogue) -> None:
        self._schedule = catalogue.get(Schedule, choice.name)
        self._params = validate_params(self._schedule, choice.params)
        self._warmup, self._steps = choice.warmup_steps, max(1, total - choice.warmup_steps)

    def __call__(self, step: int) -> float:
        """Return the factor."""
        if step < self._warmup:
            return (step + 1) / self._warmup
        return self._schedule.factor(self._params, step - self._warmup, self._steps)
