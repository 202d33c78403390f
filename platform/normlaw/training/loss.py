"""Losses and errors of network outputs; one output means two classes."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss, one_hot, softplus

from normlaw.study.spec import Loss


def signed(labels: Tensor) -> Tensor:
    """Return labels in {0, 1} as y in {-1.0, +1.0}, (b,)."""
    return 2.0 * labels - 1.0


def mean_loss(logits: Tensor, labels: Tensor, loss: Loss) -> Tensor:
    """Return the mean loss over a batch, a scalar.

    Args:
        logits: (b, num_outputs); one output f for two classes, whose sign is the answer.
        labels: (b,) int64.
        loss: `cross_entropy`; for one output that of the logits (f, -f), which is log(1 + exp(-2 y f)),
            the logistic loss V of the perceptron up to its factor 1/lambda. `mse`: mean over outputs of the
            squared distance from the one-hot label; for one output (f - y)^2.

    """
    if logits.shape[1] == 1:
        output, target = logits[:, 0], signed(labels)  # (b,), (b,)
        return mse_loss(output, target) if loss == "mse" else softplus(-2 * target * output).mean()
    if loss == "mse":
        return mse_loss(logits, one_hot(labels, logits.shape[1]).to(logits.dtype))
    return cross_entropy(logits, labels)


def wrong(logits: Tensor, labels: Tensor) -> Tensor:
    """Return which examples are misclassified, (b,) bool; an output of exactly zero is wrong."""
    if logits.shape[1] == 1:
        return logits[:, 0] * signed(labels) <= 0
    return logits.argmax(dim=1) != labels
