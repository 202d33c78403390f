from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normlaw.study.spec import RunSpec
from normlaw.training.evaluation import Point
from normlaw.training.loop import train
from normlaw_registry import Catalogue
from normlaw_tests.shapes import check_all

check_all()

SMALL: dict[str, Any] = {
    "architecture": {"name": "mlp", "params": {"hidden": [32]}},
    "dataset": "digits",
    "train_size": 64,
    "seed": 0,
    "batch_size": 16,
    "steps": 20,
    "measuring_points": 8,
    "measures": ["weight_norm"],
}


@pytest.fixture
def spec(catalogue: Catalogue) -> Callable[..., RunSpec]:
    """Return a function that resolves a small run with some keys changed."""
    return lambda **changes: RunSpec.model_validate({**SMALL, **changes}).resolved(catalogue)


@pytest.fixture
def run(catalogue: Catalogue, spec: Callable[..., RunSpec]) -> Callable[..., list[Point]]:
    """Return a function that trains a small run with some keys changed."""
    return lambda **changes: train(spec(**changes), catalogue, folder=Path("unused"))
