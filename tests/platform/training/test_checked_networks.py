"""A network that passes the authors' checks is one that a run takes; one that a run refuses fails them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from normlaw.study.spec import RunSpec
from normlaw.training.trial import try_out
from normlaw_registry import Architecture, InvalidComponentError, LinearMap, Task
from normlaw_registry.testing import check_component
from normlaw_tests.models import catalogue_with

DIGITS = Task(input_shape=(1, 8, 8), num_classes=10)
MEASURES = ["spectral_complexity", "distance_from_initialisation", "fisher_rao_norm", "weight_norm"]


def head(features: int) -> tuple[nn.Module, ...]:
    return nn.Flatten(), nn.Linear(features, 10)


class Scale(nn.Module):
    """One weight a channel, of a type that no rule is built in for."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor([2.0, 3.0, 4.0]))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor.abs()[:, None, None]


class Turned(nn.Module):
    """Lays out channels-last what a strided 1x1 convolution of few channels is given."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(1, 4, 3, padding=1)
        self.skip = nn.Conv2d(4, 6, 1, stride=2)
        self.head = nn.Linear(96, 10)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.narrow(x)).contiguous(memory_format=torch.channels_last)
        return self.head(self.skip(y).flatten(1))


def shared() -> nn.Module:
    layer = nn.Conv2d(3, 3, 3, padding=1)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), layer, nn.ReLU(), layer, *head(192))


def scaled() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), Scale(), *head(192))


def zeroed() -> nn.Module:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    nn.init.zeros_(network.get_parameter("1.weight"))
    return network


def rule(layer: nn.Module, name: str, shape: tuple[int, ...]) -> list[LinearMap]:
    assert isinstance(layer, Scale)
    return [
        LinearMap(
            name=name,
            operation="conv2d",
            weight=layer.factor.detach().reshape(-1, 1, 1, 1),
            input_size=shape[1:],
            stride=(1, 1),
            padding=((0, 0), (0, 0)),
            dilation=(1, 1),
            groups=3,
        )
    ]


def of_another_size(layer: nn.Module, name: str, shape: tuple[int, ...]) -> list[LinearMap]:
    """Says that the map reads nothing."""
    (one,) = rule(layer, name, shape)
    return [LinearMap(**{**vars(one), "input_size": (0, 0)})]


def taken(architecture: Architecture, folder: Path) -> str | None:
    """Return why a run does not take the network, None where it does."""
    catalogue = catalogue_with(architecture)
    run = RunSpec.model_validate(
        {
            "architecture": architecture.name,
            "dataset": "digits",
            "train_size": 64,
            "seed": 0,
            "batch_size": 16,
            "steps": 4,
            "measuring_points": 2,
            "measures": MEASURES,
        }
    ).resolved(catalogue)
    misfit = try_out(run, run, catalogue, folder, "cpu")
    return misfit.failure.reason if misfit else None


def network(build: Callable[[], nn.Module], **fields: Any) -> Architecture:
    return Architecture(name="mine", summary="Mine", build=lambda params, task: build(), **fields)


@pytest.mark.parametrize(
    "build",
    [
        shared,
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), *head(256)),
        lambda: nn.Sequential(nn.BatchNorm2d(1), *head(64)),
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), *head(128)),
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 1, stride=2), *head(96)),
    ],
    ids=["called twice", "normalised", "normalised first", "circular", "strided 1x1"],
)
def test_a_run_takes_what_passes(build: Callable[[], nn.Module], tmp_path: Path) -> None:
    architecture = network(build)
    check_component(architecture, tasks=[DIGITS])
    assert taken(architecture, tmp_path) is None


def test_a_run_takes_a_layer_with_a_rule_of_its_own(tmp_path: Path) -> None:
    architecture = network(scaled, layer_rules=lambda: {Scale: rule})
    check_component(architecture, tasks=[DIGITS])
    assert taken(architecture, tmp_path) is None


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (network(scaled), "layer '1' of type Scale has weights"),
        (network(scaled, layer_rules=lambda: {Scale: of_another_size}), "layer '1' cannot be applied"),
        (
            network(lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.PReLU(), *head(72))),
            "layer '1' of type PReLU",
        ),
        (
            network(lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), *head(128))),
            "padding mode 'reflect' has no rule",
        ),
        (network(zeroed), "layer '1' is zero at initialisation"),
        (network(Turned), "lays out channels-last"),
        (
            network(
                lambda: nn.Sequential(nn.Linear(8, 8), *head(64)),
                linear_maps=lambda net, task: [
                    LinearMap(name="one", operation="dense", weight=layer.weight.detach())
                    for layer in net
                    if isinstance(layer, nn.Linear)
                ],
            ),
            "gives one name twice",
        ),
    ],
    ids=["no rule", "wrong rule", "learnt slope", "reflected", "zero", "channels last", "one name twice"],
)
def test_what_a_run_refuses_does_not_pass(architecture: Architecture, message: str, tmp_path: Path) -> None:
    assert taken(architecture, tmp_path) is not None
    with pytest.raises(InvalidComponentError) as caught:
        check_component(architecture, tasks=[DIGITS])
    assert message in str(caught.value)
    assert "architecture 'mine'" in str(caught.value)


def test_the_checks_leave_torch_as_it_was() -> None:
    before = torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    check_component(network(lambda: nn.Sequential(*head(math.prod(DIGITS.input_shape)))), tasks=[DIGITS])
    assert torch.equal(torch.rand(1), expected)
    assert torch.are_deterministic_algorithms_enabled() == before
