"""What a data set asks of a network: classes or real numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from normlaw_registry import Dataset, InvalidComponentError, LoadContext, Params, Split, Splits, Task
from normlaw_registry.testing import check_component

REGRESSION = Task(input_shape=(3,), kind="regression", num_targets=2)


def test_a_task_knows_its_outputs() -> None:
    assert Task(input_shape=(3,), num_classes=2).num_outputs == 1
    assert Task(input_shape=(3,), num_classes=5).num_outputs == 5
    assert REGRESSION.num_outputs == 2
    assert Task(input_shape=(3,), num_classes=5).answer == "5 classes"
    assert REGRESSION.answer == "2 real numbers"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"num_classes": 1}, "at least 2 classes"),
        ({}, "at least 2 classes"),
        ({"num_classes": 3, "num_targets": 1}, "no targets"),
        ({"kind": "regression"}, "at least 1 target"),
        ({"kind": "regression", "num_targets": 1, "num_classes": 2}, "no classes"),
        ({"kind": "ranking", "num_classes": 2}, "kind='ranking'"),
    ],
)
def test_a_task_is_one_thing_or_the_other(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidComponentError, match=reason):
        Task(input_shape=(3,), **fields)


def drawing(**changes: Any) -> Dataset:
    """Return a data set of two real targets, some of whose parts are as given."""

    def load(_params: Params, context: LoadContext) -> Splits:
        def draw(size: int, stream: int) -> Split:
            generator = torch.Generator().manual_seed(100 * context.seed + stream)
            rows = torch.randn(size, 5, generator=generator)
            return Split(inputs=rows[:, :3], labels=rows[:, 3:])

        parts = {"train": draw(context.train_size, 0), "test": draw(4, 1), **changes}
        return Splits(task=REGRESSION, **parts)

    return Dataset(name="drawn", summary="Noise", load=load, seeded=True)


def numbered(start: int, stop: int) -> Split:
    numbers = torch.arange(float(start), float(stop))[:, None]  # (n, 1)
    return Split(inputs=numbers.expand(-1, 3), labels=numbers.expand(-1, 2))


def test_real_targets_pass_the_battery() -> None:
    check_component(drawing())
    check_component(drawing(fresh=numbered, population_squared_error=lambda network: 1.0))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"test": Split(inputs=torch.zeros(2, 3), labels=torch.zeros(2))}, "float32 of shape \\(n, 2\\)"),
        ({"test": Split(inputs=torch.zeros(2, 3), labels=torch.full((2, 2), torch.inf))}, "not all finite"),
        ({"fresh": lambda start, stop: numbered(0, stop - start)}, "from a generator of its own"),
        ({"population_squared_error": lambda network: -1.0}, "at least 0 or None, got -1.0"),
    ],
)
def test_the_battery_finds_what_is_wrong_with_real_targets(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidComponentError, match=reason):
        check_component(drawing(**changes))
