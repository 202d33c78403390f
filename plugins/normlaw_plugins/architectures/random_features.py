"""Random features: a frozen random projection and a trained linear map on it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_registry import Architecture, Params, Task

if TYPE_CHECKING:
    from torch import nn


class RandomFeaturesNetworkParams(Params):
    """Parameters of `random_features`."""

    width: int | None = Field(
        None,
        ge=1,
        le=10**6,
        description="N, the number of features; null: infinitely many, the inputs themselves",
    )
    init_norm: float = Field(
        1e-6, gt=0, description="norm |v| at the start, in a random direction: a zero has no log"
    )


def build_random_features(params: RandomFeaturesNetworkParams, task: Task) -> nn.Module:
    """Return f(x) = v.(A x)/sqrt(N): A, (N, inputs), has standard normal entries and is not trained.

    With infinite width A^T A/N is 1, and v acts on the inputs themselves, with the same norm. The one linear
    map is v: the projection is no weight.
    """
    from normlaw_plugins.architectures.projected_readout import ProjectedReadout

    network = ProjectedReadout(prod(task.input_shape), params.width, task.num_outputs)
    network.draw(params.init_norm)
    return network


RANDOM_FEATURES_NETWORK = Architecture(
    name="random_features",
    summary="A trained linear map on a frozen random projection of the inputs",
    source="Bordelon, Atanasov, Pehlevan 2024, arXiv:2402.01092; Rahimi and Recht 2007",
    formula=r"f(x) = v \cdot A x / \sqrt{N}, \qquad A_{ij} \sim \mathcal{N}(0, 1)",
    params=RandomFeaturesNetworkParams,
    build=build_random_features,
)
