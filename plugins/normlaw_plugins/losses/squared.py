"""The squared distance of the outputs from their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw_plugins.losses.signs import signed
from normlaw_registry import Loss, Params

if TYPE_CHECKING:
    from torch import Tensor


def mean(_params: Params, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean over examples and outputs of (f - y)^2, a scalar.

    Classes are told as y = 1 for the output of the right class and 0 for the others; for one output as y = +1
    and -1. Real numbers are taken as they are.
    """
    from torch.nn.functional import mse_loss, one_hot

    if targets.is_floating_point():
        return mse_loss(outputs, targets.reshape(outputs.shape))
    if outputs.shape[1] == 1:
        return mse_loss(outputs[:, 0], signed(targets))
    return mse_loss(outputs, one_hot(targets, outputs.shape[1]).to(outputs.dtype))


SQUARED = Loss(
    name="squared",
    summary="Squared distance of the outputs from real numbers, or from classes as 0 and 1 or as -1 and +1",
    source="Hui, Belkin 2021, arXiv:2006.07322, section 1 (classes)",
    formula=r"\ell = \frac{1}{K} \sum_k (f_k - y_k)^2",
    targets=("classes", "numbers"),
    mean=mean,
)
