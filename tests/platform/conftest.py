from __future__ import annotations

import copy
from typing import Any

import pytest

from normlaw_registry import Catalogue, load_catalogue

TINY: dict[str, Any] = {
    "name": "tiny",
    "description": "A CNN small enough to train in a second.",
    "norm": "spectral_complexity_kernel",
    "fixed": {
        "architecture": {"name": "cnn", "params": {"channels": [4, 8], "hidden": [16]}},
        "dataset": "digits",
        "optimizer": {"name": "adam", "learning_rate": 3e-3},
        "batch_size": 32,
        "steps": 60,
        "measuring_points": 12,
        "measures": ["spectral_complexity_kernel", "weight_norm"],
    },
    "vary": {"train_size": [32, 64, 128, 256], "seed": [0, 1]},
}


@pytest.fixture
def catalogue() -> Catalogue:
    """Return the catalogue of what is really installed."""
    return load_catalogue()


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Return a tiny study as the mapping that its YAML file holds; a test may change it."""
    return copy.deepcopy(TINY)
