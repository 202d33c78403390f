"""Runs that follow the norm, from a study's text to measured points; and against the exact theory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from normlaw.study.spec import RunSpec
from normlaw.training.linear import path
from normlaw.training.loop import train
from normlaw_registry import Catalogue, InputError, Theory, validate_params

BASE: dict[str, Any] = {
    "architecture": "perceptron",
    "dataset": {"name": "teacher_student", "params": {"dimension": 50, "test_size": 10}},
    "measures": ["weight_norm"],
    "measuring_points": 12,
    "train_size": 100,
    "seed": 1,
}


def spec_of(catalogue: Catalogue, name: str, **changes: Any) -> RunSpec:
    trainer = {"name": name, "final_norm": 100.0}
    return RunSpec.model_validate({**BASE, "trainer": trainer, **changes}).resolved(catalogue)


@pytest.mark.parametrize("name", ["gradient_flow", "fixed_norm"])
def test_points_lie_at_log_spaced_norms(catalogue: Catalogue, name: str) -> None:
    points = train(spec_of(catalogue, name), catalogue)
    norms = np.exp([point["log_norm/weight_norm"] for point in points])
    assert [point["step"] for point in points] == list(range(13))
    assert norms == pytest.approx(np.geomspace(1e-3, 100.0, 13), rel=1e-5)
    assert points[-1]["train/error"] == 0.0
    assert points == train(spec_of(catalogue, name), catalogue)


def test_the_size_of_a_forward_pass_changes_no_bit(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs are evaluated on as many examples at once as memory allows: in one pass here, or in four."""
    spec = spec_of(catalogue, "gradient_flow", train_size=779)
    at_once = train(spec, catalogue)
    monkeypatch.setattr(path, "EVALUATION_NUMBERS", 1)
    assert train(spec, catalogue) == at_once


def test_the_held_norm_has_the_smaller_training_loss(catalogue: Catalogue) -> None:
    free, held = (train(spec_of(catalogue, name), catalogue) for name in ("gradient_flow", "fixed_norm"))
    losses = [(a["train/loss"], b["train/loss"]) for a, b in zip(free, held, strict=True)]
    assert all(below <= above * (1 + 1e-6) for above, below in losses)
    assert losses[6][1] < losses[6][0]


@pytest.mark.slow
def test_the_held_norm_gives_the_theorys_error(catalogue: Catalogue) -> None:
    theory = catalogue.get(Theory, "perceptron")
    dataset = {"name": "teacher_student", "params": {"dimension": 200, "test_size": 1}}
    runs = [
        train(spec_of(catalogue, "fixed_norm", dataset=dataset, train_size=800, seed=seed), catalogue)
        for seed in range(12)
    ]
    for step in (4, 8, 12):
        errors = [run[step]["test/error"] for run in runs]
        norm = float(np.exp(runs[0][step]["log_norm/weight_norm"]))
        (predicted,) = theory.predict(validate_params(theory, {}), [4.0], [norm])
        standard_error = np.std(errors, ddof=1) / np.sqrt(len(errors))
        assert standard_error < 0.02 * predicted.error
        assert abs(np.mean(errors) - predicted.error) < 4.0 * standard_error


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainer": "gradient_flow"}, "needs `final_norm`"),
        ({"optimizer": {"name": "gradient_flow"}}, "needs `final_norm`"),
        ({"optimizer": {"name": "gradient_flow", "final_norm": 10, "learning_rate": 1}}, "learning_rate"),
        ({"trainer": {"name": "gradient_flow", "final_norm": 10}, "optimizer": "sgd"}, "has no `optimizer`"),
        ({"trainer": {"final_norm": 10}, "steps": 5}, "final_norm belongs to"),
        ({"trainer": {"name": "fixed_norm", "final_norm": 10}, "steps": 5}, "final_norm` alone"),
        ({"trainer": {"name": "fixed_norm", "final_norm": 10}, "loss": "squared"}, "cross_entropy only"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RunSpec.model_validate({**BASE, **changes})


def test_another_network_is_refused_with_what_to_take(catalogue: Catalogue) -> None:
    spec = spec_of(catalogue, "gradient_flow", architecture={"name": "mlp"})
    with pytest.raises(InputError, match="take such an architecture"):
        train(spec, catalogue)
    spec = spec_of(catalogue, "gradient_flow", dataset="digits")
    with pytest.raises(InputError, match="two classes"):
        train(spec, catalogue)


def test_a_final_norm_below_the_initial_one_is_refused(catalogue: Catalogue) -> None:
    trainer = {"name": "gradient_flow", "final_norm": 1e-4}
    with pytest.raises(InputError, match="must be above the initial"):
        train(spec_of(catalogue, "gradient_flow", trainer=trainer), catalogue)
