"""The scale of centred outputs, by hand and where a softmax sees it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from normlaw_registry import (
    ComplexityMeasure,
    MeasuredValue,
    NormlawError,
    Task,
    UndefinedNormError,
    load_catalogue,
)
from normlaw_registry.testing import measurement_context

NET = nn.Linear(2, 3)
POINT = measurement_context(NET, Task(input_shape=(2,), num_classes=3))


def scale_of(outputs: Tensor, temperature: float = 1.0) -> MeasuredValue:
    measure = load_catalogue().get(ComplexityMeasure, "logit_scale")
    point = replace(POINT, train_logits=lambda: outputs, temperature=temperature)
    return measure.measure(measure.params(), point)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([[1.0, -1.0]], 1.0),
        ([[3.0, 0.0, 0.0], [0.0, 0.0, 0.0]], 1.0),  # (2, -1, -1) and (0, 0, 0): squares sum to 6, over 6
        ([[7.0, 1.0, 4.0]], math.sqrt(18 / 3)),
        ([[2.0], [-4.0]], math.sqrt(10)),  # as (-2, 2) and (4, -4)
        ([[-2.0, 2.0], [4.0, -4.0]], math.sqrt(10)),
    ],
)
def test_by_hand(outputs: list[list[float]], expected: float) -> None:
    value = scale_of(torch.tensor(outputs))
    assert math.exp(value.log_value) == pytest.approx(expected, rel=1e-15)
    warm = scale_of(torch.tensor(outputs), temperature=8.0)
    assert value.log_value - warm.log_value == pytest.approx(math.log(8), rel=1e-15)


def test_what_a_softmax_does_not_see_does_not_count() -> None:
    outputs = torch.randn(50, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    shifts = torch.randn(50, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert scale_of(outputs + 5 * shifts).log_value == pytest.approx(scale_of(outputs).log_value, abs=1e-13)
    assert scale_of(outputs).log_value == pytest.approx(
        math.log(float(outputs.std(1, correction=0).norm()) / math.sqrt(50)), abs=1e-13
    )


def test_the_tolerance_is_that_of_the_outputs_precision() -> None:
    exact = torch.randn(50, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 100
    for dtype in (torch.float32, torch.bfloat16):
        rounded = scale_of(exact.to(dtype))
        error = abs(rounded.log_value - scale_of(exact).log_value)
        assert 0 < error <= rounded.tolerance


def test_outputs_without_a_scale() -> None:
    with pytest.raises(UndefinedNormError, match="each example's outputs are all the same"):
        scale_of(torch.ones(4, 3))
    with pytest.raises(NormlawError, match="not finite"):
        scale_of(torch.tensor([[1.0, math.inf]]))


def test_the_scale_of_a_network_is_that_of_its_outputs() -> None:
    measure = load_catalogue().get(ComplexityMeasure, "logit_scale")
    with torch.no_grad():
        outputs = torch.cat([NET(batch.inputs) for batch in POINT.train_batches()]).double()
    expected = outputs.var(dim=1, correction=0).mean().sqrt().log()
    assert measure.measure(measure.params(), POINT).log_value == pytest.approx(float(expected), abs=1e-12)
