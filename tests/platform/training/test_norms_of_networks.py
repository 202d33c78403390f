"""All measures on the built-in networks: finite, for every architecture, equal to dense linear algebra."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch
from torch import nn

from normlaw.training.measuring import Measurer
from normlaw_registry import (
    Architecture,
    ComplexityMeasure,
    InputError,
    MeasuredValue,
    Split,
    Task,
    load_catalogue,
    validate_params,
)
from normlaw_registry.linear import LinearMapPlan
from normlaw_registry.testing import measurement_context

CIFAR = Task(input_shape=(3, 32, 32), num_classes=10)
SMALL = Task(input_shape=(3, 8, 8), num_classes=10)
TINY: dict[str, dict[str, object]] = {
    "cnn": {"channels": [4, 6, 8], "hidden": [12]},
    "resnet": {"blocks": [1, 1], "channels": [4, 8], "init_factor": 0.05},
    "vit": {"patch": 4, "width": 12, "depth": 12, "heads": 3, "init_factor": 0.005},
    "mlp": {},
}
MEASURES = [
    name
    for name in load_catalogue().names(ComplexityMeasure)
    if load_catalogue().get(ComplexityMeasure, name).callback is None
]


def build(name: str, task: Task, values: Mapping[str, object] | None = None) -> tuple[Architecture, nn.Module]:
    architecture = load_catalogue().get(Architecture, name)
    torch.manual_seed(0)
    values = architecture.presets["cifar10"] if values is None else values
    return architecture, architecture.build(validate_params(architecture, values), task)


def take(network: nn.Module, architecture: Architecture, names: list[str]) -> dict[str, MeasuredValue]:
    found = [load_catalogue().get(ComplexityMeasure, name) for name in names]
    torch.manual_seed(1)
    inputs = torch.randn(20, *SMALL.input_shape)
    batch = Split(inputs=inputs, labels=torch.arange(20) % 10)
    measurer = Measurer([(m, m.params()) for m in found], network, architecture, SMALL)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(1.5).add_(0.01)
        outputs = network.eval()(inputs)
    return measurer.measure(
        network, train_batches=lambda: [batch], train_labels=batch.labels, train_logits=lambda: outputs
    )


@pytest.mark.parametrize("name", sorted(TINY))
def test_every_measure_serves_every_network(name: str) -> None:
    architecture, network = build(name, SMALL, TINY[name])
    names = [m for m in MEASURES if not (m == "path_norm" and name == "vit")]
    for measure, value in take(network, architecture, names).items():
        assert math.isfinite(value.log_value), measure
        assert value.exactness == "exact", measure
        assert value.tolerance < 1e-4, measure


def test_softmax_attention_has_no_path_norm() -> None:
    architecture, network = build("vit", SMALL, TINY["vit"])
    with pytest.raises(InputError, match="path_norm is defined for ReLU networks alone"):
        take(network, architecture, ["path_norm"])


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_a_deep_transformer_stays_finite(factor: float) -> None:
    architecture, network = build("vit", SMALL, TINY["vit"])
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(factor)
    names = ["spectral_complexity", "spectral_complexity_kernel", "spectral_complexity_released"]
    values = take(network, architecture, names)
    assert all(math.isfinite(value.log_value) for value in values.values())
    assert abs(values["spectral_complexity"].log_value) > 100


def test_the_platforms_norms_equal_dense_linear_algebra() -> None:
    architecture, network = build("cnn", SMALL, TINY["cnn"])
    plain = nn.Sequential(*network.children())  # what the registry's own tracing knows
    of_the_data = ("distance_from_initialisation", "fisher_rao_norm", "normalised_margin", "logit_scale")
    names = [m for m in MEASURES if m not in of_the_data]
    values = take(network, architecture, names)
    context = measurement_context(plain, SMALL)
    for name, value in values.items():
        measure = load_catalogue().get(ComplexityMeasure, name)
        expected = measure.measure(measure.params(), context).log_value
        assert value.log_value == pytest.approx(expected, abs=1e-6), name


@pytest.mark.parametrize(("name", "maps", "excluded"), [("cnn", 5, 0), ("resnet", 21, 20), ("vit", 38, 13 + 2)])
def test_the_papers_networks_have_these_maps(name: str, maps: int, excluded: int) -> None:
    architecture, network = build(name, CIFAR)
    plan = LinearMapPlan.of(network, CIFAR, architecture)
    assert len(plan.linear_maps(network)) == maps
    assert len(plan.excluded) == excluded  # folded BatchNorms; LayerNorms, class token and positions
