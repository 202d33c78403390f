"""A callback for Lightning, of the package `lightning` or `pytorch-lightning`; the extra is `lightning`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from normlaw.callbacks.points import Number, Points

if TYPE_CHECKING:
    Callback = object
elif "lightning" in sys.modules or ("pytorch_lightning" not in sys.modules and find_spec("lightning")):
    from lightning.pytorch import Callback  # the two packages have classes of their own
else:
    from pytorch_lightning import Callback


class NormObserver(Callback):
    """Takes the norms of the model that a Lightning `Trainer` trains.

    Points are taken where a validation ends, with numbers from the metrics that were logged; or, with
    `evaluate`, at log-spaced steps, with the numbers that this function returns.

    Args:
        batch: what the model is called with, for the sizes of its layers.
        numbers: argument of `Observer.point` -> name of a metric, or a function of all metrics:
            `{"test_loss": "val_loss", "test_error": lambda metrics: 1 - metrics["val_accuracy"]}`.
        evaluate: returns, for the module, the arguments of `Observer.point` by name; it is called in the midst
            of training, in evaluation mode and without gradients.
        options: those of `normlaw.observe`: study, train_size, seed, about, measures, points, ... With
            `evaluate`, `steps` is the length of training that the trainer expects, unless it is given.

    """

    def __init__(
        self,
        batch: Any,
        *,
        numbers: Mapping[str, Number] | None = None,
        evaluate: Callable[[Any], Mapping[str, float]] | None = None,
        **options: Any,
    ) -> None:
        self._evaluate = evaluate
        sources = {} if numbers is None else dict(numbers)
        if evaluate is None and numbers is None:
            sources = {"test_loss": "val_loss"}
        self._points = Points(batch, sources, options)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Make the observer, and take the point of step 0."""
        known = trainer.max_steps > 0 or trainer.max_epochs not in (None, -1)
        steps = int(trainer.estimated_stepping_batches) if self._evaluate is not None and known else None
        self._points.begin(pl_module, steps)
        self._at(trainer, pl_module)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        """Take a point where one is due."""
        self._at(trainer, pl_module)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Take a point with the metrics of the validation."""
        if self._evaluate is None and not trainer.sanity_checking:
            self._points.take(trainer.global_step, trainer.callback_metrics, float(trainer.current_epoch))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the run."""
        self._points.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the run as failed, or leave it open where it was interrupted."""
        self._points.end(exception)

    def _at(self, trainer: Any, pl_module: Any) -> None:
        if self._evaluate is not None and self._points.due(trainer.global_step):
            self._points.take_numbers(trainer.global_step, pl_module, self._evaluate)
