"""Path norm of a ReLU network."""

from __future__ import annotations

from math import log
from typing import Literal

from pydantic import Field

from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, NormlawError, Params


class PathNormParams(Params):
    """Parameters of `path_norm`."""

    order: Literal[1, 2] = Field(
        default=2, description="p: the p-th root of the sum over all paths of |product of a path's weights|^p"
    )


def measure(params: PathNormParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of (sum over paths prod over edges |w_e|^p)^(1/p), paths from any input to any output.

    One forward pass with weights |w|^p on an input of ones gives it exactly for networks of linear layers,
    convolutions, ReLU, max and average pooling, shortcuts and BatchNorm in evaluation mode (folded: a path
    is scaled by it). A max-pooling passes the paths of all its inputs on. Biases start no path here.

    Raises:
        InputError: the network is no ReLU network: a function such as softmax attention, LayerNorm or GELU
            gives its paths no weight of their own; names the function.
        NormlawError: no path has a weight that is finite and not zero.

    """
    from normlaw_plugins.complexity.path_forward import sum_over_paths

    for linear_map in context.linear_maps:
        context.entry_norms(linear_map)  # names the layer whose weight is not finite
    scale = 1.0
    for scale in (1.0, 1e-200, 1e200):  # linear in its input, so that a scale keeps it in range
        total = sum_over_paths(context.network, context.task.input_shape, params.order, scale)
        if 0.0 < total < float("inf"):
            break
    else:
        raise NormlawError(
            f"path_norm: the sum over all paths is {total:g}: each path meets a weight of zero, or weights "
            "are too large for float64"
        )
    return MeasuredValue(log_value=(log(total) - log(scale)) / params.order)


PATH_NORM = ComplexityMeasure(
    name="path_norm",
    summary="Path norm of a ReLU network: norm of the products of weights along all paths",
    source="Neyshabur, Salakhutdinov, Srebro 2015, arXiv:1506.02617; Gonon et al. 2024, arXiv:2310.01225",
    formula=r"\lambda = \left(\sum_{\mathrm{paths}} \prod_{e} |w_e|^p\right)^{1/p}",
    params=PathNormParams,
    measure=measure,
    tasks=("classification", "regression"),
)
