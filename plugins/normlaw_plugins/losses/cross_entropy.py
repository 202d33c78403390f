"""Cross-entropy of the softmax of the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_plugins.losses.signs import signed
from normlaw_registry import Loss, Params

if TYPE_CHECKING:
    from torch import Tensor


class CrossEntropyParams(Params):
    """What the classes are told as."""

    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="part of the probability that is spread evenly over all classes"
    )


def mean(params: CrossEntropyParams, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy, a scalar.

    For one output f it is that of the outputs (f, -f): log(1 + exp(-2 y f)) with y = +1 or -1, which is the
    logistic loss of the perceptron up to its factor 1/lambda.
    """
    from torch.nn.functional import cross_entropy, softplus

    if outputs.shape[1] > 1:
        return cross_entropy(outputs, targets, label_smoothing=params.label_smoothing)
    output, sign = outputs[:, 0], signed(targets)  # (b,), (b,)
    right = softplus(-2 * sign * output)
    if not params.label_smoothing:
        return right.mean()
    spread = params.label_smoothing / 2
    return ((1 - spread) * right + spread * softplus(2 * sign * output)).mean()


CROSS_ENTROPY = Loss(
    name="cross_entropy",
    summary="Cross-entropy of the softmax of the outputs",
    source="Szegedy et al. 2016, arXiv:1512.00567, section 7 (label smoothing)",
    formula=r"\ell = -\sum_k q_k \log\frac{e^{f_k}}{\sum_j e^{f_j}}, \quad "
    r"q_k = (1 - \varepsilon)\,\delta_{k c} + \varepsilon / K",
    params=CrossEntropyParams,
    mean=mean,
)
