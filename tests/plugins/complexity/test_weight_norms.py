"""Norms of the weights by hand; margins and the Fisher-Rao norm against their definitions."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from normlaw_registry import (
    ComplexityMeasure,
    MeasuredValue,
    MeasurementContext,
    NormlawError,
    Task,
    UndefinedNormError,
    load_catalogue,
    validate_params,
)
from normlaw_registry.testing import measurement_context

FLAT = Task(input_shape=(2,), num_classes=3)


def measured(name: str, context: MeasurementContext, **values: object) -> MeasuredValue:
    measure = load_catalogue().get(ComplexityMeasure, name)
    return measure.measure(validate_params(measure, values), context)


def two_layers() -> nn.Sequential:
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 3, bias=False))
    with torch.no_grad():
        net.get_parameter("0.weight").copy_(torch.tensor([[3.0, -4.0], [0.0, 2.0]]))
        net.get_parameter("2.weight").copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0], [2.0, 2.0]]))
    return net


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("l1_norm", {}, 9 + 6),
        ("l1_norm", {"across_layers": "product"}, 9 * 6),
        ("frobenius_norm", {}, math.sqrt(29) + math.sqrt(10)),
        ("frobenius_norm", {"across_layers": "product"}, math.sqrt(29) * math.sqrt(10)),
        ("weight_norm", {}, math.sqrt(29 + 10)),
        ("group_norm_2_1", {}, (5 + 2) + (1 + 1 + math.sqrt(8))),
        ("group_norm_2_1", {"group": "input"}, (3 + math.sqrt(20)) + 2 * math.sqrt(5)),
        ("group_norm_2_1", {"across_layers": "product"}, 7 * (2 + math.sqrt(8))),
        # squares of the singular values: (29 + sqrt(29^2 - 4 * 36)) / 2, and 9 of [[5, 4], [4, 5]]
        ("spectral_norm_product", {}, math.sqrt((29 + math.sqrt(697)) / 2) * 3),
        ("spectral_norm_product", {"matrices": "kernel"}, math.sqrt((29 + math.sqrt(697)) / 2) * 3),
    ],
)
def test_by_hand(name: str, values: dict[str, str], expected: float) -> None:
    value = measured(name, measurement_context(two_layers(), FLAT), **values)
    assert math.exp(value.log_value) == pytest.approx(expected, rel=1e-12)
    assert list(value.layers) == ["0", "2"]


def test_distance_from_initialisation() -> None:
    net, start = two_layers(), two_layers()
    with torch.no_grad():
        net.get_parameter("0.weight")[0, 0] += 3.0
        net.get_parameter("2.weight")[1, 1] -= 4.0
    value = measured("distance_from_initialisation", measurement_context(net, FLAT, initial=start))
    assert math.exp(value.log_value) == pytest.approx(5.0)
    assert value.layers == {"0": {"distance": 3.0}, "2": {"distance": 4.0}}
    with pytest.raises(UndefinedNormError, match="no weight has moved"):
        measured("distance_from_initialisation", measurement_context(net, FLAT, initial=net))


@pytest.mark.parametrize("name", ["l1_norm", "frobenius_norm", "group_norm_2_1", "spectral_norm_product"])
def test_a_zero_layer_is_named(name: str) -> None:
    net = two_layers()
    nn.init.zeros_(net.get_parameter("2.weight"))
    with pytest.raises(NormlawError, match="'2'"):
        measured(name, measurement_context(net, FLAT))


def test_weight_norm_of_a_network_of_zeros() -> None:
    net = two_layers()
    for weight in net.parameters():
        nn.init.zeros_(weight)
    with pytest.raises(NormlawError, match=r"all weights are zero \(layers 0, 2\)"):
        measured("weight_norm", measurement_context(net, FLAT))


def margins_of(context: MeasurementContext) -> Tensor:
    outputs, labels = context.train_logits().double(), context.train_labels
    own = outputs[torch.arange(len(labels)), labels]
    masked = outputs.clone()
    masked[torch.arange(len(labels)), labels] = -math.inf
    return own - masked.max(dim=1).values


@pytest.mark.parametrize("quantile", [0.0, 0.1, 0.5, 1.0])
def test_normalised_margin(quantile: float) -> None:
    context = measurement_context(two_layers(), FLAT, train_size=50)
    margins = margins_of(context)
    inputs = torch.cat([batch.inputs for batch in context.train_batches()])
    complexity = measured("spectral_complexity", context).log_value
    scale = math.log(float(inputs.double().norm()) / 50)
    expected = math.log(float(torch.quantile(margins[margins > 0], quantile))) - complexity - scale
    assert measured("normalised_margin", context, quantile=quantile).log_value == pytest.approx(
        expected, abs=1e-9
    )


def test_a_margin_that_is_not_positive_has_no_log() -> None:
    context = measurement_context(two_layers(), FLAT)
    with pytest.raises(NormlawError, match=r"the 0 quantile of the margins is -"):
        measured("normalised_margin", context, quantile=0.0, examples="all")


def test_the_margin_of_one_output_is_the_signed_output() -> None:
    net = nn.Linear(2, 1, bias=False)
    task = Task(input_shape=(2,), num_classes=2)
    context = measurement_context(net, task)
    signed = context.train_logits()[:, 0].double() * (2 * context.train_labels - 1)
    largest = measured("normalised_margin", context, quantile=1.0, complexity="spectral_complexity_kernel")
    inputs = torch.cat([batch.inputs for batch in context.train_batches()]).double()
    complexity = measured("spectral_complexity_kernel", context).log_value
    expected = math.log(float(signed.max())) - complexity - math.log(float(inputs.norm()) / len(signed))
    assert largest.log_value == pytest.approx(expected, abs=1e-9)


def fisher_rao_by_gradients(net: nn.Module, context: MeasurementContext, model: bool) -> float:
    """The definition: theta times the gradient of each example's loss, by reverse-mode differentiation."""
    total, count = 0.0, 0
    for batch in context.train_batches():
        for x, label in zip(batch.inputs, batch.labels, strict=True):
            outputs = net(x[None])
            if outputs.shape[1] == 1:
                outputs = torch.cat([-outputs, outputs], 1)
            labels = range(outputs.shape[1]) if model else [int(label)]
            weights = outputs.softmax(1)[0].tolist() if model else [1.0] * 3
            for y in labels:
                loss = functional.cross_entropy(outputs, torch.tensor([y]))
                gradients = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
                product = sum(
                    float((p * g).double().sum()) for p, g in zip(net.parameters(), gradients, strict=True)
                )
                total += weights[y if model else 0] * product**2
            count += 1
    return math.log(total / count) / 2


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("labels", ["model", "data"])
def test_fisher_rao_norm_against_gradients(labels: str, classes: int) -> None:
    torch.manual_seed(0)
    task = Task(input_shape=(4,), num_classes=classes)
    net = nn.Sequential(nn.Linear(4, 5), nn.GELU(), nn.BatchNorm1d(5), nn.Linear(5, task.num_outputs)).eval()
    plain = measurement_context(nn.Linear(4, task.num_outputs), task, train_size=12)
    value = measured("fisher_rao_norm", replace(plain, network=net), labels=labels)
    assert value.log_value == pytest.approx(fisher_rao_by_gradients(net, plain, labels == "model"), abs=1e-5)
    some = measured("fisher_rao_norm", replace(plain, network=net), labels=labels, examples=5)
    assert some.exactness == "estimate"


def test_fisher_rao_norm_of_a_homogeneous_network() -> None:
    """J theta = L f for L layers without biases (Liang et al. 2019, theorem 3.1)."""
    context = measurement_context(two_layers(), FLAT)
    f = context.train_logits().double()
    p = f.softmax(1)
    variance = (p * f.square()).sum(1) - (p * f).sum(1).square()
    expected = math.log(float((4 * variance).mean())) / 2
    assert measured("fisher_rao_norm", context).log_value == pytest.approx(expected, abs=1e-5)


def test_fisher_rao_norm_goes_through_attention() -> None:
    torch.manual_seed(0)

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(4, 2, 8, 0.0, "gelu", batch_first=True, norm_first=True)
            self.head = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.layer(x)[:, 0])

    task = Task(input_shape=(5, 4), num_classes=3)
    net = Attention().eval()
    plain = measurement_context(nn.Sequential(nn.Flatten(), nn.Linear(20, 3)), task, train_size=6)
    value = measured("fisher_rao_norm", replace(plain, network=net))
    assert value.log_value == pytest.approx(fisher_rao_by_gradients(net, plain, True), abs=1e-5)
