"""Training options, seen from what a run measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from normlaw.study.listed import searchable
from normlaw.training.data import load_splits, prepare
from normlaw.training.descent import STEPS_BETWEEN_CHECKS
from normlaw.training.evaluation import TrainingDivergedError
from normlaw.training.loop import train
from normlaw.training.observer import Observer
from normlaw_registry import InputError


@pytest.fixture
def data(catalogue, spec):
    """Return a function that prepares a small run's data with some keys changed."""
    return lambda **changes: prepare(spec(**changes), catalogue, Path("unused"))


def test_a_run_stops_when_all_training_examples_are_right(run):
    points = run(steps=4000, measuring_points=60, stop={"train_error": 0.0})
    assert points[-1]["train/error"] == 0.0
    assert all(point["train/error"] > 0 for point in points[:-1])
    assert points[-1]["step"] < 4000


def test_a_run_stops_at_a_norm(run):
    whole = run()
    limit = whole[-3]["log_norm/weight_norm"]
    stopped = run(stop={"log_norm": {"weight_norm": limit}})
    assert stopped == whole[: len(stopped)]
    assert stopped[-1]["log_norm/weight_norm"] >= limit > stopped[-2]["log_norm/weight_norm"]


def test_a_norm_to_stop_at_must_be_measured(spec):
    with pytest.raises(ValueError, match="'weight_nrm' is not measured: did you mean weight_norm"):
        spec(stop={"log_norm": {"weight_nrm": 1}})


def test_the_schedule_sets_the_rate_of_each_step(run):
    sgd = {"name": "sgd", "learning_rate": 0.1}
    warmed = run(steps=1, optimizer=sgd, learning_rate_schedule={"warmup_steps": 10})
    plain = run(steps=1, optimizer={**sgd, "learning_rate": 0.01})
    assert warmed == plain
    assert run(steps=20, optimizer=sgd, learning_rate_schedule="cosine") != run(steps=20, optimizer=sgd)


def test_label_noise_is_on_training_labels_only_and_nested(data):
    clean, noisy, more = data(), data(label_noise=0.3), data(label_noise=0.3, train_size=640)
    changed = clean.train.split.labels != noisy.train.split.labels
    assert 5 <= changed.sum() <= 40
    assert torch.equal(clean.test.split.labels, noisy.test.split.labels)
    assert torch.equal(more.train.split.labels[:64], noisy.train.split.labels)


def rows(examples):
    return set(map(tuple, examples.split.inputs.flatten(1).tolist()))


def test_held_out_examples_are_met_by_no_train_size(data):
    held_out = {"source": "held_out", "size": 100}
    small, large = data(validation=held_out), data(validation=held_out, train_size=1337)
    assert torch.equal(small.validation.split.inputs, large.validation.split.inputs)
    assert len(small.validation) == 100
    assert not rows(small.validation) & rows(large.train)
    assert torch.equal(small.train.split.inputs, data().train.split.inputs)
    with pytest.raises(InputError, match="1338 with 100 held-out examples is larger"):
        data(validation=held_out, train_size=1338)


def test_held_out_examples_of_drawn_data_follow_the_training_examples(data):
    drawn = {
        "architecture": "perceptron",
        "dataset": "teacher_student",
        "validation": {"source": "held_out", "size": 40},
    }
    small, large = data(**drawn), data(**drawn, train_size=104)
    assert torch.equal(small.validation.split.inputs, large.train.split.inputs[64:])
    assert (len(small.train), len(small.validation), len(large.validation)) == (64, 40, 40)


def test_validation_is_measured_unless_the_test_set_serves(run):
    assert "validation/error" not in run(steps=1)[0]
    point = run(steps=1, validation={"source": "held_out", "size": 300})[0]
    assert 0.5 < point["validation/error"] <= 1
    assert point["validation/error"] != point["test/error"]


def test_a_validation_split_that_is_not_there_is_refused(spec, catalogue):
    with pytest.raises(InputError, match="no validation split of its own"):
        load_splits(spec(validation="dataset"), catalogue, Path("unused"))


class Kept(Observer):
    def __init__(self) -> None:
        self.points: list[Any] = []

    def point(self, point, inexact) -> None:
        self.points.append(point)


def test_divergence_ends_the_run_and_keeps_its_curve(catalogue, spec):
    kept = Kept()
    linear = {"name": "mlp", "params": {"hidden": []}}  # its squared error grows by a factor each step
    sgd = {"name": "sgd", "learning_rate": 1e4}
    wild = spec(architecture=linear, loss="mse", optimizer=sgd, steps=1000, measuring_points=2)
    with pytest.raises(TrainingDivergedError, match="try a smaller learning_rate") as error:
        train(wild, catalogue, observer=kept)
    assert [point["step"] for point in kept.points] == [0, 1]
    assert int(str(error.value).split("step ")[1].split(":")[0]) <= STEPS_BETWEEN_CHECKS


CHANGES = {"rotation": 10, "shift": 0.2, "crop_padding": 1, "flip": 0.5}


def test_augmentation_changes_training_images_only(run):
    plain, changed, repeated = run(), run(augmentation=CHANGES), run(augmentation=CHANGES)
    assert changed == repeated
    assert changed[0] == plain[0]
    assert changed[-1]["train/loss"] != plain[-1]["train/loss"]


def test_test_images_are_changed_when_asked_for(run):
    plain, changed = run(), run(augmentation={**CHANGES, "test_images": True})
    assert changed[0]["train/loss"] == plain[0]["train/loss"]
    assert changed[0]["test/loss"] != plain[0]["test/loss"]


def test_augmentation_needs_images(spec, catalogue):
    drawn = spec(architecture="perceptron", dataset="teacher_student", augmentation={"flip": 0.5})
    with pytest.raises(InputError, match="changes images"):
        load_splits(drawn, catalogue, Path("unused"))


def test_options_that_are_off_are_not_listed(spec):
    assert not {key for key in searchable(spec()) if key.startswith(("augmentation", "stop", "label"))}
    listed = searchable(spec(augmentation={"flip": 0.5}, validation={"source": "held_out", "size": 5}))
    assert listed["augmentation.flip"] == 0.5
    assert listed["validation.source"] == "held_out"


def test_a_norm_that_begins_later_is_missing_until_then(run):
    points = run(measures=["weight_norm", "distance_from_initialisation"])
    key = "log_norm/distance_from_initialisation"
    assert key not in points[0]
    assert all(key in point for point in points[1:])
    assert all("log_norm/weight_norm" in point for point in points)
