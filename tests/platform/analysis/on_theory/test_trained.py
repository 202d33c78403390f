"""Trained networks lie on the exact curves of their theory, to the scatter of their seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from normlaw.analysis.on_theory.agreement import Agreement, TrainedRun, agreement
from normlaw.study.listed import listing, unlisted
from normlaw.study.spec import RunSpec
from normlaw.training.loop import train
from normlaw_registry import Theory, load_catalogue

COMMON: dict[str, Any] = {
    "architecture": {"name": "random_features"},
    "dataset": {"name": "power_law_regression", "params": {"a": 2.0, "b": 1.5, "modes": 120}},
    "loss": "squared",
    "optimizer": {"name": "sgd", "learning_rate": 0.2},
    "measures": ["weight_norm"],
    "measuring_points": 8,
}
NOISY = {"a": 2.0, "b": 1.5, "modes": 120, "noise_variance": 0.2}
GROUND: dict[str, dict[str, Any]] = {
    "all examples, finite width": {
        "architecture": {"name": "random_features", "params": {"width": 80}},
        "train_size": 120,
        "batch_size": 120,
        "steps": 100,
    },
    "one pass": {"sampling": "one_pass", "train_size": 600, "batch_size": 6},
}


COMMITTEE: dict[str, Any] = {
    "architecture": {"name": "committee"},
    "dataset": {"name": "committee_teacher", "params": {"N": 100, "L": 2}},
    "optimizer": {"name": "sgd", "learning_rate": 0.005},
    "sampling": "one_pass",
    "batch_size": 1,
    "train_size": 800,
}


def trained(seeds: int, about: str = "random_features", **changes: Any) -> Agreement:
    catalogue = load_catalogue()
    theory = catalogue.get(Theory, about)
    runs = []
    for seed in range(seeds):
        tree = {**COMMON, "dataset": {"name": "power_law_regression", "params": NOISY}, "seed": seed, **changes}
        spec = RunSpec.model_validate(tree).resolved(catalogue)
        listed = listing(spec)
        assert theory.of_run is not None
        counterpart = theory.of_run({**unlisted(listed), **listed})
        assert counterpart is not None
        runs.append(TrainedRun("", counterpart, pd.DataFrame(train(spec, catalogue, folder=Path()))))
    return agreement(theory, runs)


@pytest.mark.parametrize("name", list(GROUND))
@pytest.mark.slow
def test_runs_lie_on_exact_curves(name: str) -> None:
    found = trained(24, **GROUND[name])
    assert not found.notes
    scores = found.scores().set_index("observable")
    # All points of a case come from the same runs, so that they deviate together: their root mean square
    # scatters as one normal deviate does, and each point is held to its own error instead.
    assert (found.points["z"].abs() < 3).all(), found.points
    assert ((scores["ratio"] - 1).abs() < 0.06).all(), scores


@pytest.mark.slow
def test_committees_lie_on_the_curves_of_the_weights_that_they_start_from() -> None:
    found = trained(8, "two_layer", **COMMITTEE)
    assert not found.notes
    scores = found.scores().set_index("observable")
    assert (scores["rms_z"] < 1.3).all(), scores
    assert ((scores["ratio"] - 1).abs() < 0.03).all(), scores
    exact = found.points[found.points["observable"] == "test_loss"]["theory"]
    assert exact.max() > 8 * exact.min()  # they learn
