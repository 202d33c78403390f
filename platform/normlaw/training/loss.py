"""The loss of a run, and errors of network outputs; one output for int64 labels means two classes."""

from __future__ import annotations

from torch import Tensor

from normlaw.study.run_options import LossChoice
from normlaw_registry import Catalogue, Loss, validate_params


class MeanLoss:
    """The mean of a run's loss over a batch.

    Attributes:
        temperature: what outputs are divided by first.

    Args:
        choice: the run's loss.
        catalogue: where it comes from.

    Raises:
        InputError: there is no such loss, or a parameter is not allowed.

    """

    def __init__(self, choice: LossChoice, catalogue: Catalogue) -> None:
        self._loss = catalogue.get(Loss, choice.name)
        self._params = validate_params(self._loss, choice.params)
        self.temperature = 1.0

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return a scalar.

        Args:
            logits: (b, num_outputs); one output f for two classes, whose sign is the answer. Of sequences
                (b, T, vocabulary): the mean is over the tokens that are scored.
            labels: (b,) int64; of a regression the targets, (b, num_outputs); of sequences (b, scored_places).

        """
        if logits.dim() == 3:
            logits, labels = scored(logits, labels).flatten(0, 1), labels.flatten()
        if self.temperature != 1.0:
            logits = logits / self.temperature
        return self._loss.mean(self._params, logits, labels)


def signed(labels: Tensor) -> Tensor:
    """Return labels in {0, 1} as y in {-1.0, +1.0}, (b,)."""
    return 2.0 * labels - 1.0


def scored(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the outputs at the places that labels are for, (b, scored_places, vocabulary): the last ones."""
    return logits[:, logits.shape[1] - labels.shape[1] :]


def wrong(logits: Tensor, labels: Tensor) -> Tensor:
    """Return which examples are misclassified, (b,) bool; an output of exactly zero is wrong.

    Of sequences, which tokens are, (b, scored_places).
    """
    if logits.dim() == 3:
        return scored(logits, labels).argmax(dim=2) != labels
    if logits.shape[1] == 1:
        return logits[:, 0] * signed(labels) <= 0
    return logits.argmax(dim=1) != labels
