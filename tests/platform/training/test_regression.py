"""Runs with real targets, and runs that see each example once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from normlaw.study.spec import RunSpec
from normlaw.training.data import load_splits, prepare
from normlaw.training.evaluation import Point
from normlaw.training.fresh_examples import FreshExamples
from normlaw.training.trial import try_out
from normlaw_registry import Catalogue

Make = Callable[..., RunSpec]
HERE = Path("unused")
REAL: dict[str, Any] = {
    "architecture": {"name": "random_features"},
    "dataset": {"name": "power_law_regression", "params": {"modes": 30, "noise_variance": 0.1}},
    "loss": "squared",
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
    "batch_size": 64,
}
ONCE: dict[str, Any] = {**REAL, "sampling": "one_pass", "steps": None, "train_size": 100, "batch_size": 8}


def test_a_regression_has_losses_and_no_errors(run: Callable[..., list[Point]]) -> None:
    points = run(**REAL)
    assert set(points[0]) == {"step", "epoch", "train/loss", "test/loss", "log_norm/weight_norm"}
    assert points[-1]["test/loss"] < 0.5 * points[0]["test/loss"]
    together = run(**REAL, validation="test")
    assert together == points


@pytest.mark.parametrize(("teacher", "hidden"), [("linear", []), ("two_layer", [8])])
def test_an_mlp_learns_its_teacher_and_its_loss_is_exact(
    run: Callable[..., list[Point]], teacher: str, hidden: list[int]
) -> None:
    """No test example is looked at: the loss is at least the noise, and falls towards it."""
    params = {"teacher": teacher, "dimension": 4, "noise_variance": 0.04, "test_size": 1}
    points = run(
        architecture={"name": "mlp", "params": {"hidden": hidden, "bias": False}},
        dataset={"name": "teacher_regression", "params": params},
        loss="squared",
        optimizer={"name": "adam", "learning_rate": 0.03},
        steps=200,
        train_size=400,
    )
    losses = [point["test/loss"] for point in points]
    assert min(losses) > 0.04
    assert losses[0] > 0.5
    assert losses[-1] < 0.06


def test_training_is_gradient_descent_on_the_mean_squared_error(
    run: Callable[..., list[Point]], spec: Make, catalogue: Catalogue
) -> None:
    """Against numpy; the test loss is exact, and the start is as small as 1e-6."""
    data = prepare(spec(**REAL), catalogue, HERE)
    x, y = (part.double().numpy() for part in (data.train.split.inputs, data.train.split.labels))
    weight, k = np.zeros((30, 1)), np.arange(1.0, 31.0)
    for _ in range(20):
        weight -= 0.1 * 2.0 * x.T @ (x @ weight - y) / len(x)
    last = run(**REAL)[-1]
    assert last["test/loss"] == pytest.approx(float(k**-1.25 @ (k**-0.125 - weight[:, 0]) ** 2), rel=1e-4)
    assert last["train/loss"] == pytest.approx(float(np.mean((x @ weight - y) ** 2)), rel=1e-4)
    assert last["log_norm/weight_norm"] == pytest.approx(np.log(np.linalg.norm(weight)), abs=1e-4)


def test_one_pass_sees_each_example_of_the_sequence_once(spec: Make, catalogue: Catalogue) -> None:
    one = spec(**ONCE)
    assert (one.total_steps, one.steps_per_epoch) == (13, 13)
    data = prepare(one, catalogue, HERE)
    fresh = load_splits(one, catalogue, HERE).fresh
    assert fresh is not None
    batches = FreshExamples(one, data)
    seen = [batches.next() for _ in range(13)]
    assert torch.equal(torch.cat([numbers for numbers, _, _ in seen]), torch.arange(100))
    assert torch.equal(torch.cat([inputs for _, inputs, _ in seen]), fresh(0, 100).inputs)
    assert len(seen[-1][0]) == 4
    assert not set(map(tuple, data.train.split.inputs.tolist())) & set(
        map(tuple, fresh(0, 100).inputs.tolist())
    )


def test_one_pass_learns_and_its_length_is_its_train_size(run: Callable[..., list[Point]]) -> None:
    points = run(**ONCE)
    assert points[-1]["step"] == 13
    assert points[-1]["epoch"] == 1.0
    assert points[-1]["test/loss"] < 0.5 * points[0]["test/loss"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"steps": 10}, "leave out `epochs` and `steps`"),
        ({"label_noise": 0.1}, "no `label_noise`"),
        ({"validation": {"source": "held_out", "size": 5}}, "no held-out validation"),
    ],
)
def test_one_pass_refuses_what_it_has_not(spec: Make, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        spec(**{**ONCE, **changes})


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        (
            {"loss": "cross_entropy"},
            ("loss",),
            "has a real number, and the loss 'cross_entropy' is not for numbers",
        ),
        ({"label_noise": 0.1}, ("label_noise",), "no classes"),
        ({"stop": {"train_error": 0.0}}, ("stop",), "no error"),
        (
            {"measures": ["weight_norm", "normalised_margin"]},
            ("measures", 1),
            "'normalised_margin' is defined for classification, and this is a regression .a real number.",
        ),
        ({"measures": ["fisher_rao_norm"]}, ("measures", 0), "'fisher_rao_norm' is defined for classification"),
        ({"measures": ["logit_scale"]}, ("measures", 0), "'logit_scale' is defined for classification"),
        (
            {"dataset": "digits", "sampling": "one_pass", "steps": None},
            ("sampling",),
            "draws no fresh examples",
        ),
    ],
)
def test_the_rehearsal_names_what_has_no_meaning(
    spec: Make, catalogue: Catalogue, changes: dict[str, Any], place: tuple[str | int, ...], reason: str
) -> None:
    one = spec(**{**REAL, **changes})
    misfit = try_out(one, one, catalogue, HERE, "cpu")
    assert misfit is not None
    assert misfit.place == place
    assert re.search(reason, misfit.failure.reason)


def test_a_spec_says_nothing_of_sampling_unless_it_is_one_pass(spec: Make) -> None:
    assert "sampling" not in spec().model_dump(mode="json")
    assert spec(**ONCE).model_dump(mode="json")["sampling"] == "one_pass"
    assert spec(**ONCE).spec_hash != spec(**{**ONCE, "sampling": "epochs", "steps": 13}).spec_hash
