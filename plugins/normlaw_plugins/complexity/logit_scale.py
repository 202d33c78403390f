"""How far apart a network's outputs are: the scale that a softmax sees."""

from __future__ import annotations

from math import isfinite, log, sqrt
from typing import TYPE_CHECKING

from normlaw_registry import (
    ComplexityMeasure,
    MeasuredValue,
    MeasurementContext,
    NormlawError,
    Params,
    UndefinedNormError,
)

if TYPE_CHECKING:
    from torch import Tensor

ROUNDINGS = 8
"""Roundings of the outputs' precision, relative to the largest output, that a value may be off by."""


def measure(_params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return the log of the root mean square of the centred outputs over the temperature.

    The mean is over the n training examples and the K outputs, from each of which the mean of its example's K
    outputs is taken, since a softmax does not see it. One output f counts as the two outputs (-f, f). The
    temperature is the one that outputs are divided by before the loss at this point; 1 for most runs.

    Raises:
        UndefinedNormError: all outputs of each example are the same, as with a last layer of zeros.
        NormlawError: an output is not finite.

    """
    import torch

    outputs = context.train_logits()  # (n, K)
    centred = _centred(outputs.double())  # (n, K) or, for one output, (n, 1)
    scale = sqrt(float(centred.square().mean()))
    if not isfinite(scale):
        raise NormlawError("logit_scale: an output of the network is not finite; the training has diverged")
    if scale == 0.0:
        raise UndefinedNormError("logit_scale: each example's outputs are all the same, and zero has no log")
    rounding = torch.finfo(outputs.dtype).eps * ROUNDINGS
    return MeasuredValue(
        log_value=log(scale) - log(context.temperature),
        tolerance=rounding * max(1.0, float(outputs.abs().max()) / scale),
    )


def _centred(outputs: Tensor) -> Tensor:
    return outputs if outputs.shape[1] == 1 else outputs - outputs.mean(dim=1, keepdim=True)


LOGIT_SCALE = ComplexityMeasure(
    name="logit_scale",
    summary="Root mean square of the centred outputs on the training set, over the temperature",
    source="the effective logit scale of Khanh 2026, arXiv:2606.18465",
    formula=(
        r"\lambda = \frac{1}{T}\left(\frac{1}{nK} \sum_{\mu,k} "
        r"\left(f_k(x_\mu) - \bar f(x_\mu)\right)^2\right)^{1/2}"
    ),
    measure=measure,
    tasks=("classification",),
)
