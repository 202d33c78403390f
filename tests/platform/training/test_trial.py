"""A few examples tell whether data set, network and norms fit each other, and which of them does not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from normlaw.study.spec import RunSpec
from normlaw.training.misfit import Misfit
from normlaw.training.trial import try_out
from normlaw_registry import (
    Architecture,
    Catalogue,
    ComplexityMeasure,
    Component,
    Dataset,
    MeasuredValue,
    Split,
    Splits,
    Task,
)
from normlaw_registry.host import PluginRecord

DIGITS = "dataset 'digits' of normlaw {version} (inputs (1, 8, 8), 10 classes)"


class Flat(nn.Module):
    """One linear map of the flattened input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, outputs)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.layer(inputs.flatten(1))


class Detached(Flat):
    """One that no gradient comes through."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return super().forward(inputs).detach()


def never(params: Any, task: Any) -> Any:
    raise ValueError("the moon is full")


def nothing(params: Any, task: Any) -> Any:
    return None


def fall(params: Any, context: Any) -> Any:
    raise ValueError("the sky")


def leave(params: Any, context: Any) -> Any:
    sys.exit(3)


def splits(shape: tuple[int, ...], labels: list[int]) -> Callable[[Any, Any], Splits]:
    split = Split(inputs=torch.ones(len(labels), *shape), labels=torch.tensor(labels))
    task = Task(input_shape=(4,), num_classes=2)
    return lambda params, context: Splits(task=task, train=split, test=split, mean=(0.0,), std=(1.0,))


COMPONENTS: tuple[Component, ...] = (
    Architecture(name="narrow", summary="s", build=lambda params, task: Flat(64, 2)),
    Architecture(name="wide", summary="s", build=lambda params, task: Flat(100, 10)),
    Architecture(name="detached", summary="s", build=lambda params, task: Detached(64, 10)),
    Architecture(name="nothing", summary="s", build=nothing),
    Architecture(name="never", summary="s", build=never),
    ComplexityMeasure(name="falls", summary="s", measure=fall),
    ComplexityMeasure(name="leaves", summary="s", measure=leave),
    ComplexityMeasure(name="one", summary="s", measure=lambda params, context: MeasuredValue(log_value=0.0)),
    Dataset(name="other_shape", summary="s", load=splits((5,), [0, 1])),
    Dataset(name="other_labels", summary="s", load=splits((4,), [0, 2])),
)
MINE = PluginRecord(name="m", module="m", distribution="mine", version="1", components=COMPONENTS)


@pytest.fixture
def tried(catalogue: Catalogue, tmp_path: Path) -> Callable[..., Misfit | None]:
    everything = Catalogue.of((*catalogue.records, MINE))

    def run(largest: int = 32, **changes: Any) -> Misfit | None:
        tree = {
            "architecture": {"name": "mlp", "params": {"hidden": [8]}},
            "dataset": "digits",
            "train_size": 2,
            "seed": 0,
            "steps": 1,
            "measures": ["weight_norm", "one"],
            **changes,
        }
        small, large = (
            RunSpec.model_validate({**tree, "train_size": size}).resolved(everything) for size in (2, largest)
        )
        return try_out(large, small, everything, tmp_path, "cpu")

    return run


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"architecture": "perceptron", "dataset": "teacher_student"},
        {"loss": "mse", "compute": {"precision": "bfloat16"}},
        {"architecture": {"name": "cnn", "params": {"channels": [4]}}},
        {
            "architecture": "perceptron",
            "dataset": "teacher_student",
            "optimizer": {"name": "gradient_flow", "final_norm": 1e3},
            "steps": None,
        },
    ],
)
def test_what_fits(tried: Callable[..., Misfit | None], changes: dict[str, Any]) -> None:
    assert tried(**changes) is None


@pytest.mark.parametrize(
    ("changes", "place", "told"),
    [
        (
            {"architecture": "narrow"},
            ("architecture",),
            [
                "'narrow' of mine 1 cannot be applied to dataset 'digits'",
                "(inputs (1, 8, 8), 10 classes): its outputs for 2 inputs have the shape (2, 2), not (2, 10)",
            ],
        ),
        (
            {"architecture": "wide"},
            ("architecture",),
            ["'wide' of mine 1 cannot be applied", "RuntimeError: mat1 and mat2 shapes", f"({__file__}, line "],
        ),
        (
            {"architecture": "detached"},
            ("architecture",),
            [
                "'detached' of mine 1 cannot be trained",
                "RuntimeError: element 0 of tensors does not require grad",
            ],
        ),
        (
            {"architecture": "nothing"},
            ("architecture",),
            ["cannot be built", "it gives NoneType in place of a torch.nn.Module"],
        ),
        (
            {"architecture": "never"},
            ("architecture",),
            ["cannot be built", "ValueError: the moon is full", f"({__file__}, line "],
        ),
        (
            {"measures": ["weight_norm", "one", "falls"]},
            ("measures", 2),
            [
                "complexity_measure 'falls' of mine 1 cannot be taken of architecture 'mlp'",
                "ValueError: the sky",
                f"({__file__}, line ",
            ],
        ),
        (
            {"measures": ["leaves"]},
            ("measures", 0),
            ["'leaves' of mine 1 cannot be taken", "it called sys.exit(3)", f"({__file__}, line "],
        ),
        (
            {"dataset": "other_shape"},
            ("dataset",),
            ["'other_shape' of mine 1: its training inputs have the shape (5,), and its task says (4,)"],
        ),
        (
            {"dataset": "other_labels"},
            ("dataset",),
            ["its training labels go from 0 to 2", "2 classes: int64 from 0 to 1"],
        ),
        ({"largest": 5000}, ("train_size",), ["train_size 5000 is larger than data set 'digits'"]),
        ({"validation": "dataset"}, ("validation",), ["no validation split of its own"]),
        (
            {"trainer": {"name": "gradient_flow", "final_norm": 1e3}, "steps": None},
            ("trainer",),
            ["follows one linear map"],
        ),
    ],
)
def test_what_does_not_fit(
    tried: Callable[..., Misfit | None], changes: dict[str, Any], place: tuple[str | int, ...], told: list[str]
) -> None:
    if "dataset" in changes:
        changes = {"largest": 2, **changes}
    misfit = tried(**changes)
    assert misfit is not None
    assert misfit.place == place
    for text in told:
        assert text in misfit.failure.reason
    assert "Traceback" in misfit.failure.traceback
