"""Diagonal linear networks: a linear predictor whose entries are differences of powers of the weights."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_registry import Architecture, InputError, LinearMap, Params, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


class DiagonalNetworkParams(Params):
    """Parameters of `diagonal`, under the names that the theory `diagonal_network` has for them."""

    depth: int = Field(2, ge=2, le=10, description="D: the weights enter as their D-th power")
    initial_scale: float = Field(1.0, ge=1e-3, le=1e3, description="a: what all weights start from")


def build_diagonal(params: DiagonalNetworkParams, task: Task) -> nn.Module:
    r"""Return f(x) = <w_+^D - w_-^D, x>/sqrt(d), all weights of which start from a: no draw is made.

    Raises:
        InputError: the task asks for more than one output.

    """
    from normlaw_plugins.architectures.power_difference import PowerDifference

    if task.num_outputs != 1:
        raise InputError(
            f"architecture 'diagonal' has one output, and {task.answer} need {task.num_outputs}: take a "
            "regression of one number, or two classes"
        )
    return PowerDifference(prod(task.input_shape), params.depth, params.initial_scale)


def linear_maps(network: nn.Module, _task: Task) -> Sequence[LinearMap]:
    """Return w_+/sqrt(d) and w_-/sqrt(d) as rows, (1, d): norms are those of the weights, per input.

    They are the diagonals of the network's layers; the layers as (d, d) matrices, D of them alike, would make
    of each norm another one.
    """
    from normlaw_plugins.architectures.power_difference import PowerDifference

    assert isinstance(network, PowerDifference)
    scale = len(network.plus) ** -0.5
    return [
        LinearMap(name=name, operation="dense", weight=weight[None] * scale)  # (1, d)
        for name, weight in network.named_parameters()
    ]


DIAGONAL = Architecture(
    name="diagonal",
    summary="A linear predictor that is a difference of powers of its weights: a diagonal linear network",
    source="Woodworth et al. 2020, arXiv:2002.09277, section 4",
    formula=r"f(x) = \frac{1}{\sqrt{d}} \sum_i \left(w_{+,i}^D - w_{-,i}^D\right) x_i, \qquad w_\pm(0) = a",
    params=DiagonalNetworkParams,
    build=build_diagonal,
    linear_maps=linear_maps,
)
