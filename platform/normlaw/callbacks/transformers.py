"""A callback for the Trainer of transformers; the extra is `transformers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

from normlaw.callbacks.points import Number, Points


class NormObserver(TrainerCallback):  # type: ignore[misc]
    """Takes the norms of the model that a transformers `Trainer` trains.

    It has the trainer evaluate at log-spaced steps, besides those at which it does by itself, and takes a point
    after each of these; at step 0 with `TrainingArguments(eval_on_start=True)`.

    Args:
        batch: what the model is called with, as a mapping: `{"input_ids": ..}`.
        numbers: argument of `Observer.point` -> name of a metric, or a function of all metrics:
            `{"test_error": lambda metrics: 1 - metrics["eval_accuracy"]}`; by default the test loss is
            `eval_loss`.
        options: those of `normlaw.observe`: study, train_size, seed, about, measures, points, ... Unless
            `steps` is given, it is the length of training that the trainer expects.

    """

    def __init__(self, batch: Any, *, numbers: Mapping[str, Number] | None = None, **options: Any) -> None:
        self._points = Points(batch, numbers or {"test_loss": "eval_loss"}, options)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Make the observer."""
        self._points.begin(model, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Have the trainer evaluate where a point is due."""
        if self._points.due(state.global_step):
            control.should_evaluate = True
        return control

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        """Take a point with the metrics of the evaluation."""
        self._points.take(state.global_step, metrics or {}, state.epoch)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End the run."""
        self._points.end()
