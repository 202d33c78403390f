"""What a training example costs, against counts by hand: two operations a product, three passes."""

from __future__ import annotations

from typing import Any

import pytest

from normlaw.study.spec import RunSpec
from normlaw.training.flops import flops_per_example
from normlaw_registry import load_catalogue


def spec(**more: Any) -> RunSpec:
    tree = {
        "dataset": "digits",
        "train_size": 32,
        "seed": 0,
        "measures": ["weight_norm"],
        **more,
    }
    return RunSpec.model_validate(tree).resolved(load_catalogue())


@pytest.mark.parametrize(
    ("architecture", "products"),
    [
        ({"name": "mlp", "params": {"hidden": [24]}}, 64 * 24 + 24 * 10),
        # 8x8 images, same convolutions of 3x3; pooled to 4x4 after the second
        (
            {"name": "cnn", "params": {"channels": [2, 3], "hidden": [5]}},
            64 * 9 * (1 * 2 + 2 * 3) + 16 * 3 * 5 + 5 * 10,
        ),
    ],
)
def test_layers_cost_six_operations_a_product(architecture, products) -> None:
    assert flops_per_example(spec(architecture=architecture, steps=2), load_catalogue()) == 6 * products


def test_a_path_in_the_norm_has_no_steps_and_no_cost() -> None:
    path = spec(
        architecture="perceptron",
        dataset="teacher_student",
        trainer={"name": "gradient_flow", "final_norm": 10},
    )
    assert flops_per_example(path, load_catalogue()) is None
