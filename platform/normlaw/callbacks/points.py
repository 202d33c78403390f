"""What the callbacks have in common: an observer, made as training begins, fed with a library's metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

import normlaw
from normlaw.observing.observer import Observer
from normlaw_registry import InputError
from normlaw_registry.errors import suggestion
from normlaw_registry.linear import evaluation

Metrics = Mapping[str, Any]
Number = str | Callable[[Metrics], Any]
"""A metric by its name, or a function of all of them."""


class Points:
    """The points of one training.

    Args:
        batch: what the model is called with; see `normlaw.observe`.
        numbers: argument of `Observer.point` -> where it comes from.
        options: of `normlaw.observe`.

    """

    def __init__(self, batch: Any, numbers: Mapping[str, Number], options: Mapping[str, Any]) -> None:
        self._batch, self._numbers, self._options = batch, dict(numbers), dict(options)
        self._observer: Observer | None = None
        self._scheduled = False

    def begin(self, model: nn.Module, steps: int | None) -> None:
        """Make the observer, of a training of so many steps; None: nobody knows how many."""
        known = {"steps": steps} if steps is not None and steps > 0 else {}
        self._observer = normlaw.observe(model, self._batch, **{**known, **self._options})
        self._scheduled = "steps" in {**known, **self._options}

    def due(self, step: int) -> bool:
        """Return whether the network is to be measured at this step."""
        return self._observer is not None and self._scheduled and self._observer.due(step)

    def take(self, step: int, metrics: Metrics, epoch: float | None = None) -> None:
        """Take a point, with numbers from these metrics.

        Raises:
            InputError: there is no such metric; names the nearest.

        """
        if self._observer is None or (self._scheduled and not self._observer.due(step)):
            return
        given = {name: self._number(source, metrics) for name, source in self._numbers.items()}
        self._observer.point(step, epoch=epoch, **given)

    def take_numbers(self, step: int, model: nn.Module, evaluate: Callable[[Any], Mapping[str, float]]) -> None:
        """Take a point, with the numbers that a function returns for the model, in evaluation mode."""
        if self._observer is not None:
            with evaluation(model):
                given = dict(evaluate(model))
            self._observer.point(step, **given)

    def end(self, error: BaseException | None = None) -> None:
        """End the run as finished, as failed, or, where it was interrupted, leave it open."""
        if (observer := self._observer) is None:
            return
        self._observer = None
        if error is not None or observer.last_step >= 0:
            observer.__exit__(None if error is None else type(error), error, None)

    def _number(self, source: Number, metrics: Metrics) -> float:
        if not isinstance(source, str):
            return float(source(metrics))
        if source not in metrics:
            raise InputError(f"no metric {source!r}: {suggestion(source, list(metrics))}")
        return float(metrics[source])
