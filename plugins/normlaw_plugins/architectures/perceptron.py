"""The perceptron: one linear map without bias."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_registry import Architecture, Params, Task

if TYPE_CHECKING:
    from torch import nn


class PerceptronParams(Params):
    """Parameters of `perceptron`."""

    init_norm: float = Field(
        default=1e-3, gt=0, description="Frobenius norm of the weight matrix at the start: lambda(0)"
    )


def build_perceptron(params: PerceptronParams, task: Task) -> nn.Module:
    """Return f(x) = v.x with v = w / sqrt(N), so that |v| is the field's lambda = |w| / sqrt(N).

    The initial v points in a uniformly random direction and has norm `init_norm`. For more than two classes
    v is a (num_classes, N) matrix and its Frobenius norm takes the place of |v|.
    """
    import torch
    from torch import nn

    linear = nn.Linear(prod(task.input_shape), task.num_outputs, bias=False)  # weight: (num_outputs, N)
    with torch.no_grad():
        linear.weight.normal_()
        linear.weight.mul_(params.init_norm / linear.weight.norm())
    return nn.Sequential(nn.Flatten(), linear)  # (b, *input_shape) -> (b, N) -> (b, num_outputs)


PERCEPTRON = Architecture(
    name="perceptron",
    summary="One linear map without bias; its Frobenius norm is lambda",
    source="Engel and Van den Broeck 2001, ch. 2; D'Amico, Bocchi, Negri 2025, arXiv:2505.13230",
    formula=r"f(x) = v \cdot x, \qquad \lambda = {\left\|v\right\|}_2",
    params=PerceptronParams,
    build=build_perceptron,
)
