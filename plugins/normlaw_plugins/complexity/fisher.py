"""The derivative of the loss along the weights, for every example; imports torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from normlaw_registry import Split


def mean_squared_derivative(
    network: nn.Module, batches: Iterable[Split], over_model: bool, limit: int | None
) -> tuple[float, int]:
    """Return the mean over examples of E_y <theta, grad loss(f(x), y)>^2, and the number of examples.

    Args:
        network: in evaluation mode.
        batches: the training examples.
        over_model: average over labels drawn from the model; else the labels are the examples' own.
        limit: examples to take at most.

    """
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    total, count = 0.0, 0
    for batch in batches:
        taken = len(batch) if limit is None else min(len(batch), limit - count)
        if taken == 0:
            break
        outputs, slopes = _along_weights(network, weights, batch.inputs[:taken])
        total += float(_squares(outputs, slopes, batch.labels[:taken], over_model).sum())
        count += taken
    return total / max(count, 1), count


def _along_weights(network: nn.Module, weights: dict[str, Tensor], inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return f(x) and J theta, (n, num_outputs) each, in float64."""

    def outputs_of(some: dict[str, Tensor]) -> Tensor:
        return cast("Tensor", torch.func.functional_call(network, some, (inputs,)))

    # Forward mode needs attention written out, and PyTorch's layers not to take their fused path.
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch's own, about its torch.jit
            outputs, slopes = torch.func.jvp(outputs_of, (weights,), (weights,))[:2]
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return outputs.double(), slopes.double()


def _squares(outputs: Tensor, slopes: Tensor, labels: Tensor, over_model: bool) -> Tensor:
    """Return E_y (<p - e_y, J theta>)^2 for each example, (n,): p are the predicted probabilities."""
    if outputs.shape[1] == 1:  # the two outputs are (-f, f)
        outputs, slopes = torch.cat([-outputs, outputs], 1), torch.cat([-slopes, slopes], 1)
    log_p = torch.log_softmax(outputs, dim=1)  # (n, classes)
    # Differences of slopes rather than slopes: no cancellation when one class takes all.
    gaps = slopes[:, :, None] - slopes[:, None, :]  # (n, y, k): slope of y minus slope of k
    derivative = -(log_p.exp()[:, None, :] * gaps).sum(dim=2)  # (n, y): <p - e_y, J theta>
    if over_model:
        return (log_p.exp() * derivative.square()).sum(dim=1)
    return derivative.gather(1, labels[:, None])[:, 0].square()
