"""The frozen projection and the one linear map of `random_features`."""

from __future__ import annotations

import pytest
import torch

from normlaw_plugins.architectures.projected_readout import ProjectedReadout
from normlaw_plugins.architectures.random_features import RANDOM_FEATURES_NETWORK, RandomFeaturesNetworkParams
from normlaw_registry import Task
from normlaw_registry.linear import LinearMapPlan
from normlaw_registry.testing import check_component

TASK = Task(input_shape=(40,), kind="regression", num_targets=1)


@pytest.mark.parametrize("width", [None, 30])
def test_it_keeps_the_contract(width: int | None) -> None:
    check_component(RANDOM_FEATURES_NETWORK, params=RandomFeaturesNetworkParams(width=width))


@pytest.mark.parametrize(("width", "features"), [(None, 40), (30, 30)])
def test_its_one_map_is_the_readout(width: int | None, features: int) -> None:
    torch.manual_seed(0)
    params = RandomFeaturesNetworkParams(width=width, init_norm=0.01)
    network = RANDOM_FEATURES_NETWORK.build(params, TASK)
    (only,) = LinearMapPlan.of(network, TASK, RANDOM_FEATURES_NETWORK).linear_maps(network)
    assert tuple(only.weight.shape) == (1, features)
    assert float(only.weight.norm()) == pytest.approx(0.01)
    assert sum(weight.numel() for weight in network.parameters()) == features


def test_features_have_the_size_of_the_inputs() -> None:
    """E |A x|^2/N = |x|^2, the fluctuation of which is sqrt(2/N)."""
    torch.manual_seed(0)
    network = RANDOM_FEATURES_NETWORK.build(RandomFeaturesNetworkParams(width=20_000), TASK)
    assert isinstance(network, ProjectedReadout)
    assert network.projection is not None
    x = torch.randn(40)
    projected = network.projection @ x
    assert float(projected.square().sum() / x.square().sum()) == pytest.approx(1.0, rel=0.03)
