"""A committee: one layer of hidden units with smooth activations, whose answers are added."""

from __future__ import annotations

from math import prod, sqrt
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from normlaw_registry import Architecture, InputError, Params, Task

if TYPE_CHECKING:
    from torch import nn


class CommitteeParams(Params):
    """Parameters of `committee`, under the names that the theory `two_layer` has for them."""

    K: int = Field(2, ge=1, le=1000, description="hidden units")
    M: int | None = Field(
        None, ge=1, le=1000, description="hidden units of its teacher; null: as many as it has itself"
    )
    activation: Literal["erf", "linear"] = Field("erf", description="g(x) = erf(x/sqrt(2)) or x")
    initial_size: float = Field(
        0.1, gt=0.0, le=10.0, description="standard deviation of the entries of J at the start"
    )


def output_scale(K: int, M: int | None) -> float:
    """Return sqrt(M)/K, with which the answer of K units has the size of that of a teacher with M."""
    return sqrt(M or K) / K


def build_committee(params: CommitteeParams, task: Task) -> nn.Module:
    """Return f(x) = sqrt(M)/K sum_i g(J_i.x/sqrt(N)), with the trained weights W = J/sqrt(N), (K, N).

    The factor sqrt(M)/K is not trained. W is the one linear map, so that `weight_norm` is |J|/sqrt(N).

    Raises:
        InputError: the task has more than one output.

    """
    from normlaw_plugins.architectures.hidden_units import Committee

    if task.num_outputs != 1:
        raise InputError(
            f"committee has one output: it serves two classes or one real number, not {task.answer}"
        )
    network = Committee(prod(task.input_shape), params.K, output_scale(params.K, params.M), params.activation)
    network.draw(params.initial_size)
    return network


COMMITTEE = Architecture(
    name="committee",
    summary="Hidden units with erf or linear activations, whose sum is the output; the second layer is fixed",
    source="Saad and Solla 1995, Phys. Rev. E 52, 4225",
    formula=r"f(x) = \frac{\sqrt{M}}{K} \sum_{i=1}^{K} g\!\left(\frac{J_i \cdot x}{\sqrt{N}}\right), \qquad "
    r"g(x) = \mathrm{erf}\!\left(x / \sqrt{2}\right)",
    params=CommitteeParams,
    build=build_committee,
)
