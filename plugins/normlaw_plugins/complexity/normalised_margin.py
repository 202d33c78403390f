"""Margins on the training set, divided by the spectral complexity."""

from __future__ import annotations

from math import fsum, log
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_plugins.complexity.spectral_complexity import SPECTRAL_COMPLEXITY, SpectralComplexityParams
from normlaw_plugins.complexity.spectral_complexity_kernel import SPECTRAL_COMPLEXITY_KERNEL
from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, Params, UndefinedNormError

if TYPE_CHECKING:
    from torch import Tensor


class NormalisedMarginParams(Params):
    """Parameters of `normalised_margin`."""

    quantile: float = Field(default=0.5, ge=0.0, le=1.0, description="which quantile of the margins")
    examples: Literal["correct", "all"] = Field(
        default="correct",
        description="training examples that the quantile is over: the correctly classified ones, whose margins "
        "are positive, or all; a quantile that is not positive has no log and is an error",
    )
    complexity: Literal["spectral_complexity", "spectral_complexity_kernel"] = Field(
        default="spectral_complexity",
        description="the R that margins are divided by, with reference matrices zero",
    )


def measure(params: NormalisedMarginParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of a quantile of margin / (R ||X||_F / n) over the training set.

    The margin of an example is its own class's output minus the largest other one; with one output f it is f
    for the second class and -f for the first. X holds the n training inputs as rows. Quantiles between two
    examples are interpolated linearly.

    Raises:
        UndefinedNormError: the quantile is not positive.
        NormlawError: R has no log; names the layer.

    """
    import torch

    margins = _margins(context.train_logits(), context.train_labels)  # (n,) float64
    chosen = margins[margins > 0] if params.examples == "correct" else margins
    if len(chosen) == 0:
        raise UndefinedNormError(
            "normalised_margin: no training example is classified correctly yet, so no margin has a log; "
            "measure it later in training"
        )
    quantile = float(torch.quantile(chosen, params.quantile))
    if quantile <= 0.0:
        raise UndefinedNormError(
            f"normalised_margin: the {params.quantile:g} quantile of the margins is {quantile:.3g}; only a "
            "positive one has a log: take `examples: correct` or a larger `quantile`"
        )
    if params.complexity == "spectral_complexity":
        complexity = SPECTRAL_COMPLEXITY.measure(SpectralComplexityParams(), context)
    else:
        complexity = SPECTRAL_COMPLEXITY_KERNEL.measure(Params(), context)
    squares = fsum(float(batch.inputs.double().square().sum()) for batch in context.train_batches())
    scale = log(squares) / 2 - log(len(margins))
    return MeasuredValue(
        log_value=log(quantile) - complexity.log_value - scale,
        exactness="estimate" if complexity.exactness != "exact" else "exact",
        tolerance=complexity.tolerance + 1e-6,  # the outputs are in float32
    )


def _margins(logits: Tensor, labels: Tensor) -> Tensor:
    outputs = logits.double()  # (n, num_outputs)
    if outputs.shape[1] == 1:
        return outputs[:, 0] * (2 * labels - 1)
    own = outputs.gather(1, labels[:, None])  # (n, 1)
    others = outputs.scatter(1, labels[:, None], float("-inf"))
    return (own - others.max(dim=1, keepdim=True).values)[:, 0]


NORMALISED_MARGIN = ComplexityMeasure(
    name="normalised_margin",
    summary="Quantile of the training margins over spectral complexity times the inputs' scale",
    source="Bartlett, Foster, Telgarsky 2017, arXiv:1706.08498, section 2",
    formula=(
        r"\lambda = \mathrm{quantile}_\mu\; \frac{f_{y_\mu}(x_\mu) - \max_{j \ne y_\mu} "
        r"f_j(x_\mu)}{R\, {\left\|X\right\|}_F / n}"
    ),
    params=NormalisedMarginParams,
    measure=measure,
    tasks=("classification",),
)
