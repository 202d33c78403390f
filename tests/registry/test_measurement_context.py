"""The dense norms of the authors' measuring point against closed forms and the networks themselves."""

from dataclasses import replace
from math import exp, log, sqrt
from typing import cast

import pytest
import torch
from torch import nn

from normlaw_registry import (
    ComplexityMeasure,
    InputError,
    LinearMap,
    MeasuredValue,
    MeasurementContext,
    NormlawError,
    Task,
)
from normlaw_registry.testing import measurement_context

IMAGE = Task(input_shape=(2, 6, 5), num_classes=3)


def context_of(layer: nn.Module, task: Task):
    return measurement_context(nn.Sequential(layer, nn.Flatten()), task)


def in_float64(linear_map):
    return replace(linear_map, weight=linear_map.weight.double())


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 4, 3, padding=1),
        nn.Conv2d(2, 4, (3, 2), stride=(2, 1), dilation=(1, 2)),
        nn.Conv2d(2, 4, (5, 3), padding="same"),
        nn.Conv2d(2, 4, 3, padding="valid", groups=2),
        nn.Conv2d(2, 4, 3, padding=(2, 1), padding_mode="circular"),
    ],
    ids=["plain", "strided", "same", "groups", "circular"],
)
def test_the_dense_matrix_of_a_convolution_does_what_the_layer_does(layer) -> None:
    context = context_of(layer, IMAGE)
    inputs = torch.randn(7, *IMAGE.input_shape)
    with torch.no_grad():
        expected = (layer(inputs) - layer.bias[:, None, None]).flatten(1)
    got = inputs.flatten(1).double() @ in_float64(context.linear_maps[0]).applied_matrix().T
    torch.testing.assert_close(got.float(), expected, rtol=1e-5, atol=1e-5)


def test_a_one_dimensional_convolution_too() -> None:
    layer = nn.Conv1d(3, 2, 4, stride=2, padding=1, bias=False)
    context = context_of(layer, Task(input_shape=(3, 9), num_classes=2))
    inputs = torch.randn(5, 3, 9)
    got = inputs.flatten(1).double() @ in_float64(context.linear_maps[0]).applied_matrix().T
    torch.testing.assert_close(got.float(), layer(inputs).flatten(1).detach(), rtol=1e-5, atol=1e-5)


def test_the_norms_of_a_known_matrix() -> None:
    task = Task(input_shape=(2,), num_classes=3)
    layer = nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]))
    start = nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        start.weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.0], [0.0, 0.0]]))
    context = measurement_context(layer, task, initial=start)
    (one,) = context.linear_maps
    assert exp(context.kernel_norm(one).log_value) == pytest.approx(4, rel=1e-14)
    assert context.operator_norm(one).log_value == context.kernel_norm(one).log_value
    norms = context.entry_norms(one)
    assert (norms.l1, norms.frobenius, norms.rows_2_1, norms.columns_2_1) == (7, 5, 7, 7)
    assert context.moved_entry_norms(one).frobenius == 4


def test_a_padded_average_has_the_norm_of_its_circulant() -> None:
    layer = nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    with torch.no_grad():
        layer.weight.fill_(1 / 9)
    context = context_of(layer, Task(input_shape=(1, 6, 6), num_classes=2))
    assert context.operator_norm(context.linear_maps[0]).log_value == pytest.approx(0, abs=1e-7)
    assert exp(context.kernel_norm(context.linear_maps[0]).log_value) == pytest.approx(1 / 3, rel=1e-7)


def test_rows_and_columns_are_told_apart() -> None:
    layer = nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    context = measurement_context(layer, Task(input_shape=(2,), num_classes=3))
    norms = context.entry_norms(context.linear_maps[0])
    assert norms.rows_2_1 == pytest.approx(3 * sqrt(2), rel=1e-14)
    assert norms.columns_2_1 == pytest.approx(2 * sqrt(3), rel=1e-14)


def test_batches_labels_and_outputs_belong_together() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(60, 3))
    context = measurement_context(network, IMAGE, train_size=70)
    batches = list(context.train_batches())
    assert sum(map(len, batches)) == len(context.train_labels) == 70
    torch.testing.assert_close(torch.cat([b.labels for b in batches]), context.train_labels)
    torch.testing.assert_close(torch.cat([network(b.inputs) for b in batches]), context.train_logits())
    assert not network.training


def test_a_layer_that_is_not_known_is_named() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.PReLU(), nn.Flatten(), nn.Linear(90, 3))
    with pytest.raises(InputError, match="layer '1' of type PReLU"):
        measurement_context(network, IMAGE)


def test_a_normalisation_is_folded_and_a_layer_called_twice_is_two_maps() -> None:
    shared = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    norm = nn.BatchNorm2d(2, eps=0.0)
    with torch.no_grad():
        norm.weight.fill_(3.0)
    network = nn.Sequential(shared, nn.ReLU(), shared, norm, nn.Flatten(), nn.Linear(60, 3))
    context = measurement_context(network, IMAGE)
    assert [one.name for one in context.linear_maps] == ["0", "0@2", "5"]
    first, second = (context.operator_norm(one).log_value for one in context.linear_maps[:2])
    assert exp(second - first) == pytest.approx(3, rel=1e-6)
    assert context.moved_entry_norms(context.linear_maps[1]).frobenius > 0


@pytest.mark.parametrize(("value", "message"), [(0.0, "is zero"), (float("nan"), "not finite")])
def test_a_weight_without_a_norm_is_named(value, message) -> None:
    layer = nn.Linear(2, 3)
    with torch.no_grad():
        layer.weight.fill_(value)
    network = nn.Sequential(layer)
    context = measurement_context(network, Task(input_shape=(2,), num_classes=3))
    with pytest.raises(NormlawError, match=f"layer '0'.*{message}"):
        context.kernel_norm(context.linear_maps[0])


def test_a_test_of_a_measure_gives_what_the_measure_asks_for_and_no_more() -> None:
    class Maps:
        linear_maps = (LinearMap(name="a", operation="dense", weight=torch.full((2, 2), 3.0)),)

    def largest(params, context):
        return MeasuredValue(log_value=log(max(float(m.weight.max()) for m in context.linear_maps)))

    norm = ComplexityMeasure(name="largest", summary="Largest", measure=largest)
    assert exp(norm.measure(norm.params(), cast("MeasurementContext", Maps())).log_value) == pytest.approx(3)
