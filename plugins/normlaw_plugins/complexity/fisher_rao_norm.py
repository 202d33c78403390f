"""Fisher-Rao norm of the weights."""

from __future__ import annotations

from math import log
from typing import Literal

from pydantic import Field

from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, Params, UndefinedNormError


class FisherRaoParams(Params):
    """Parameters of `fisher_rao_norm`."""

    labels: Literal["model", "data"] = Field(
        default="model",
        description="labels of the loss: averaged over as the model predicts them (the Fisher information "
        "itself), or those of the training data (the empirical Fisher information)",
    )
    examples: int | None = Field(
        default=None, ge=1, description="number of training examples, the first ones; all by default"
    )


def measure(params: FisherRaoParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of sqrt(<theta, F theta>), F the Fisher information of the cross-entropy loss.

    theta holds all parameters. <theta, F theta> is the mean over training examples of the square of
    <theta, grad loss> = <grad_f loss, J theta>, and J theta, the derivative of the outputs along the
    parameters, comes from one forward-mode pass. For a ReLU network of L layers without biases J theta = L f.
    One output f counts as the two outputs (-f, f).

    Raises:
        UndefinedNormError: the norm is zero or not finite.

    """
    from normlaw_plugins.complexity.fisher import mean_squared_derivative

    square, count = mean_squared_derivative(
        context.network, context.train_batches(), params.labels == "model", params.examples
    )
    if not 0.0 < square < float("inf"):
        raise UndefinedNormError(
            f"fisher_rao_norm: the squared norm is {square:g}, which has no finite log: the outputs do not "
            "depend on the weights, or every example is fitted to float64 precision, or the training diverged"
        )
    return MeasuredValue(
        log_value=log(square) / 2,
        exactness="exact" if count == len(context.train_labels) else "estimate",
        tolerance=1e-5,  # outputs and their derivatives are in float32
    )


FISHER_RAO_NORM = ComplexityMeasure(
    name="fisher_rao_norm",
    summary="Fisher-Rao norm: length of the weights in the metric of the Fisher information",
    source="Liang, Poggio, Rakhlin, Stokes 2019, arXiv:1711.01530, definition 2",
    formula=r"\lambda = \sqrt{\left\langle\theta, F\theta\right\rangle}",
    params=FisherRaoParams,
    measure=measure,
    tasks=("classification",),
)
