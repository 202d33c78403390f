"""Norms and ranks of every layer against the matrices written out, and where they are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from normlaw.training.measuring import Measurer
from normlaw_registry import (
    ComplexityMeasure,
    LinearMap,
    MeasuredValue,
    NormlawError,
    Task,
    load_catalogue,
    validate_params,
)
from normlaw_registry.linear import LinearMapPlan
from normlaw_registry.testing import measurement_context

IMAGE = Task(input_shape=(2, 9, 8), num_classes=3)


def network() -> nn.Sequential:
    """Three kinds of convolution: padded, strided and dilated, and transposed; and a dense layer."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 6, (3, 2), stride=(2, 1), dilation=(1, 2), groups=2),
        nn.ReLU(),
        nn.ConvTranspose2d(6, 3, 2, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(3 * 8 * 12, 3),
    )


NETWORK = network()
MAPS = {m.name: m for m in LinearMapPlan.of(NETWORK, IMAGE, None).linear_maps(NETWORK)}


def matrix(linear_map: LinearMap, matrices: str) -> Tensor:
    """The matrix in float64, assembled column by column of what the layer does to unit inputs."""
    in_float64 = replace(linear_map, weight=linear_map.weight.detach().double())
    return in_float64.applied_matrix() if matrices == "applied" else in_float64.matrix()


def as_trained(name: str, **values: Any) -> MeasuredValue:
    """The value that a run of normlaw measures."""
    measure = load_catalogue().get(ComplexityMeasure, name)
    measurer = Measurer([(measure, validate_params(measure, values))], NETWORK, None, IMAGE)
    nothing = torch.zeros(0, dtype=torch.int64)
    found = measurer.measure(
        NETWORK, train_batches=lambda: (), train_labels=nothing, train_logits=lambda: nothing
    )
    return found[name]


def rms_rms(a: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(a, 2) * math.sqrt(a.shape[1] / a.shape[0])


def rms_inf(a: Tensor) -> Tensor:
    """The largest entry of A x over |x|_rms = 1: each row's is reached along that row."""
    along = a / a.norm(dim=1, keepdim=True) * math.sqrt(a.shape[1])  # (out, in), of root mean square 1
    return (a @ along.T).diagonal().max()


def stable_rank(a: Tensor) -> Tensor:
    return a.square().sum() / torch.linalg.svdvals(a)[0] ** 2


def effective_rank(a: Tensor) -> Tensor:
    values = torch.linalg.svdvals(a)
    return torch.distributions.Categorical(probs=values / values.sum()).entropy().exp()


NORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "spectral_norms": lambda a: torch.linalg.svdvals(a)[0],
    "rms_rms_norms": rms_rms,
    "rms_inf_norms": rms_inf,
}
RANKS = {"stable_rank": stable_rank, "effective_rank": effective_rank}


@pytest.mark.parametrize("matrices", ["applied", "kernel"])
@pytest.mark.parametrize("name", NORMS)
def test_norms_of_the_matrices_written_out(name: str, matrices: str) -> None:
    value = as_trained(name, matrices=matrices)
    assert list(value.parts) == ["0", "2", "4", "7"]
    expected = {layer: float(NORMS[name](matrix(m, matrices))) for layer, m in MAPS.items()}
    for layer, log_norm in value.parts.items():
        assert math.exp(log_norm) == pytest.approx(expected[layer], rel=1e-6)
        (quantity,) = value.layers[layer].values()
        assert quantity == pytest.approx(expected[layer], rel=1e-6)
    assert math.exp(value.log_value) == pytest.approx(math.prod(expected.values()), rel=1e-6)


@pytest.mark.parametrize("name", RANKS)
def test_ranks_of_the_kernels(name: str) -> None:
    value = as_trained(name)
    expected = {layer: float(RANKS[name](matrix(m, "kernel"))) for layer, m in MAPS.items()}
    for layer, log_rank in value.parts.items():
        assert math.exp(log_rank) == pytest.approx(expected[layer], rel=1e-6)
        assert 1 <= expected[layer] <= min(MAPS[layer].matrix().shape)
    assert math.exp(value.log_value) == pytest.approx(sum(expected.values()), rel=1e-6)


def test_singular_values_of_the_kernels() -> None:
    value = as_trained("singular_values")
    assert not value.parts
    for layer, spectrum in value.spectra.items():
        expected = torch.linalg.svdvals(matrix(MAPS[layer], "kernel"))
        torch.testing.assert_close(torch.tensor(spectrum, dtype=torch.float64), expected)
    total = sum(math.fsum(spectrum) for spectrum in value.spectra.values())
    assert math.exp(value.log_value) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("matrices", ["applied", "kernel"])
def test_the_output_layer_is_the_last_one(matrices: str) -> None:
    value = as_trained("output_layer_norm", matrices=matrices)
    assert value.log_value == as_trained("rms_inf_norms", matrices=matrices).parts["7"]
    assert list(value.layers) == ["7"]


def dense(weight: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    with torch.no_grad():
        layer.weight.copy_(weight)
    return layer


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (torch.eye(4) * 3, {"stable_rank": 4, "effective_rank": 4, "rms_inf_norms": 6, "rms_rms_norms": 3}),
        (torch.ones(2, 8), {"stable_rank": 1, "effective_rank": 1, "rms_inf_norms": 8, "rms_rms_norms": 8}),
        (
            torch.diag(torch.tensor([2.0, 1.0, 1.0, 0.0])),  # p = 1/2, 1/4, 1/4: an entropy of 3/2 bits
            {"stable_rank": 6 / 4, "effective_rank": 2**1.5, "rms_inf_norms": 4, "spectral_norms": 2},
        ),
    ],
)
def test_closed_forms(weight: Tensor, expected: dict[str, float]) -> None:
    context = measurement_context(dense(weight), Task(input_shape=(weight.shape[1],), num_classes=3))
    for name, norm in expected.items():
        measure = load_catalogue().get(ComplexityMeasure, name)
        value = measure.measure(measure.params(), context)
        assert math.exp(value.log_value) == pytest.approx(norm, rel=1e-6)


@pytest.mark.parametrize("name", [*NORMS, *RANKS, "output_layer_norm"])
@pytest.mark.parametrize(("number", "told"), [(0.0, "zero"), (math.nan, "finite")])
def test_a_layer_without_a_log_is_named(name: str, number: float, told: str) -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    nn.init.constant_(net.get_parameter("1.weight"), number)
    measure = load_catalogue().get(ComplexityMeasure, name)
    with pytest.raises(NormlawError, match=f"'1'.*{told}"):
        measure.measure(measure.params(), measurement_context(net, Task(input_shape=(3,), num_classes=3)))
