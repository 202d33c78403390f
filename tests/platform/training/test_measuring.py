"""A run's measures: shared work, hand values, errors, and a state that makes a resumed run bit-identical."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from normlaw.training.measuring import Measurer
from normlaw_registry import (
    ComplexityMeasure,
    InputError,
    MeasuredValue,
    MeasurementContext,
    NormlawError,
    Params,
    Task,
    load_catalogue,
)

TASK = Task(input_shape=(2, 6, 6), num_classes=3)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))


def measurer_of(net: nn.Module, *measures: ComplexityMeasure, task: Task = TASK) -> Measurer:
    return Measurer([(measure, measure.params()) for measure in measures], net, None, task)


def take(measurer: Measurer, net: nn.Module) -> dict[str, MeasuredValue]:
    return measurer.measure(
        net,
        train_batches=lambda: (),
        train_labels=torch.zeros(0, dtype=torch.int64),
        train_logits=lambda: torch.zeros(0, 3),
    )


def operator_norms(params: Params, context: MeasurementContext) -> MeasuredValue:
    return MeasuredValue(log_value=sum(context.operator_norm(m).log_value for m in context.linear_maps))


OPERATOR_NORMS = ComplexityMeasure(name="operator_norms", summary="their product", measure=operator_norms)


def test_the_perceptrons_weight_norm_is_lambda() -> None:
    N = 50
    perceptron = nn.Linear(N, 1, bias=False)
    w = torch.randn(N)
    perceptron.weight.data = w[None] / math.sqrt(N)
    measure = load_catalogue().get(ComplexityMeasure, "weight_norm")
    task = Task(input_shape=(N,), num_classes=2)
    value = take(measurer_of(perceptron, measure, task=task), perceptron)["weight_norm"]
    assert math.exp(value.log_value) == pytest.approx(float(w.norm()) / math.sqrt(N), rel=1e-6)


def test_a_resumed_run_gives_the_same_bits() -> None:
    net = network()
    whole = measurer_of(net, OPERATOR_NORMS)
    take(whole, net)
    state = {key: value.clone() for key, value in whole.state_dict().items()}
    net.get_parameter("0.weight").data += 0.1
    expected = take(whole, net)
    resumed = measurer_of(net, OPERATOR_NORMS)
    resumed.load_state_dict(state)
    assert take(resumed, net) == expected


def test_initial_weights_are_kept_only_for_measures_that_need_them() -> None:
    def moved(params: Params, context: MeasurementContext) -> MeasuredValue:
        (first, *_) = zip(context.linear_maps, context.initial_linear_maps, strict=True)
        by_hand = float((first[0].weight.double() - first[1].weight.double()).norm())
        assert context.moved_entry_norms(first[0]).frobenius == pytest.approx(by_hand, rel=1e-12)
        return MeasuredValue(log_value=math.log(by_hand))

    def needs(params: Any) -> bool:
        return True

    net = network()
    declared = ComplexityMeasure(name="moved", summary="s", measure=moved, needs_initial=needs)
    measurer = measurer_of(net, declared)
    state = measurer.state_dict()
    net.get_parameter("0.weight").data += 0.5
    assert take(measurer, net)["moved"].log_value == pytest.approx(math.log(0.5 * math.sqrt(72)), rel=1e-6)
    late = measurer_of(net, declared)
    late.load_state_dict(state)
    assert take(late, net) == take(measurer, net)
    undeclared = ComplexityMeasure(name="moved", summary="s", measure=moved)
    with pytest.raises(NormlawError, match="needs_initial"):
        take(measurer_of(net, undeclared), net)


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "is zero"), (math.nan, "is not finite"), (math.inf, "is not finite")]
)
def test_a_weight_without_a_norm_is_named(value: float, words: str) -> None:
    net = network()
    measurer = measurer_of(net, load_catalogue().get(ComplexityMeasure, "spectral_complexity_kernel"))
    nn.init.constant_(net.get_parameter("3.weight"), value)
    with pytest.raises(NormlawError, match=f"layer '3': its weight {words}"):
        take(measurer, net)


def test_a_measure_that_breaks_the_contract_is_named() -> None:
    net = network()
    infinite = ComplexityMeasure(
        name="bad", summary="s", measure=lambda p, c: MeasuredValue(log_value=math.inf)
    )
    with pytest.raises(NormlawError, match="'bad' returned"):
        take(measurer_of(net, infinite), net)
    failing = ComplexityMeasure(name="bad", summary="s", measure=lambda p, c: MeasuredValue(log_value=1 / 0))
    with pytest.raises(NormlawError, match="'bad' failed: ZeroDivisionError"):
        take(measurer_of(net, failing), net)
    with pytest.raises(InputError, match="bad is given more than once"):
        measurer_of(net, failing, failing)


def test_outputs_are_computed_once_and_the_mode_is_restored() -> None:
    calls = []

    def logits() -> torch.Tensor:
        calls.append(1)
        return torch.zeros(1, 3)

    def looks(params: Params, context: MeasurementContext) -> MeasuredValue:
        assert not context.network.training
        context.train_logits()
        return MeasuredValue(log_value=0.0)

    net = network().train()
    measures = [ComplexityMeasure(name=name, summary="s", measure=looks) for name in ("one", "two")]
    measurer = measurer_of(net, *measures)
    measurer.measure(
        net, train_batches=lambda: (), train_labels=torch.zeros(1, dtype=torch.int64), train_logits=logits
    )
    assert len(calls) == 1
    assert net.training
