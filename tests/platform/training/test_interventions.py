"""Interventions do what they say, from the beginning and from a point on, alone, resumed and in a stack."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from normlaw.study.spec import RunSpec
from normlaw.training.checkpoints import Checkpoints
from normlaw.training.evaluation import Inexact, Point
from normlaw.training.held_norm import degree_of
from normlaw.training.intervening import NeverStartedError
from normlaw.training.loop import train
from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw.training.state import TrainingState
from normlaw.training.together import train_together
from normlaw_registry import Catalogue, InputError, NormlawError

BASE: dict[str, Any] = {
    "architecture": {"name": "mlp", "params": {"hidden": [8]}},
    "dataset": "digits",
    "train_size": 48,
    "seed": 1,
    "batch_size": 16,
    "steps": 24,
    "measuring_points": 12,
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
    "measures": ["weight_norm", "spectral_norm_product"],
}
Make = Callable[..., RunSpec]


@pytest.fixture
def spec(catalogue: Catalogue) -> Make:
    def make(intervention: dict[str, Any] | None = None, **changes: Any) -> RunSpec:
        tree = {**BASE, "intervention": intervention or {}, **changes}
        return RunSpec.model_validate(tree).resolved(catalogue)

    return make


class Saving(Observer):
    """Writes the state of the run at one step, and stops it there if wanted."""

    def __init__(self, folder: Path, step: int, *, stop: bool = False) -> None:
        self.states = Checkpoints(folder, "test")
        self._step, self._stop = step, stop
        self.points: list[Point] = []

    def point(self, point: Point, inexact: Inexact) -> None:
        self.points.append(point)

    def safe_point(self, state: Callable[[], TrainingState] | None) -> None:
        if self.points[-1]["step"] == self._step:
            assert state is not None
            self.states.save(state())
            if self._stop:
                raise KeyError("stopped")

    def saved(self) -> TrainingState:
        return next(self.states.states())


class Weights(Observer):
    """Keeps the matrices' 2-norms at each point, as numpy has them."""

    def __init__(self) -> None:
        self.found: list[list[float]] = []
        self.network: nn.Module | None = None

    def safe_point(self, state: Callable[[], TrainingState] | None) -> None:
        assert state is not None
        matrices = [w for w in state().network.values() if w.dim() == 2]
        self.found.append([float((w.double().numpy() ** 2).sum() ** 0.5) for w in matrices])


def column(points: list[Point], name: str) -> list[float]:
    return [point[name] for point in points]


@pytest.mark.slow
def test_until_it_starts_the_bits_are_the_trunks_and_from_the_trunks_state_on_those_of_one_go(
    spec: Make, catalogue: Catalogue, tmp_path: Path
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "weights": {"hold_norm": "weights"},
        "halved": {"hold_norm": {"of": "layers", "factor": 0.5}},
        "measure": {"hold_norm": "spectral_norm_product"},
        "others": {"temperature": 3.0, "learning_rate": 0.01, "weight_decay": 0.1},
    }
    for name, change in changes.items():
        arm = spec({"start": {"step": 5}, **change}, optimizer={"name": "adam", "learning_rate": 0.01})
        trunk_states = Saving(tmp_path / f"trunk of {name}", 6)
        assert arm.trunk is not None
        trunk = train(arm.trunk, catalogue, observer=trunk_states)
        whole = train(arm, catalogue)
        steps = column(whole, "step")
        fork = steps.index(6)  # the first measuring point at or behind step 5
        assert whole[: fork + 1] == trunk[: fork + 1]
        assert whole[fork + 1] != trunk[fork + 1]
        left = train(arm, catalogue, resume=trunk_states.saved())
        assert left == whole[fork + 1 :]
        for stop in (3, 6, 10):  # before the fork, at it, behind it
            killed = Saving(tmp_path / f"{name} {stop}", stop, stop=True)
            with pytest.raises(KeyError):
                train(arm, catalogue, observer=killed)
            again = train(arm, catalogue, resume=killed.saved())
            assert again == whole[steps.index(stop) + 1 :]


def test_norms_are_held_to_float32s_rounding(spec: Make, catalogue: Catalogue) -> None:
    watched = {name: Weights() for name in ("free", "weights", "halved", "layers")}
    start = {"start": {"step": 6}}
    for name, held in {
        "free": None,
        "weights": "weights",
        "halved": {"of": "weights", "factor": 0.5},
        "layers": "layers",
    }.items():
        change = {**start, "hold_norm": held} if held else {}
        train(spec(change), catalogue, observer=watched[name])
    steps = [0, 1, 2, 3, 4, 6, 8, 10, 14, 18]
    at = steps.index(6)
    free, weights, halved, layers = (one.found for one in watched.values())
    wanted = math.hypot(*free[at])
    assert abs(math.hypot(*free[-1]) / wanted - 1) > 1e-3
    for found, factor in ((weights, 1.0), (halved, 0.5)):
        assert [math.hypot(*each) for each in found[at + 1 :]] == pytest.approx(
            [factor * wanted] * (len(found) - at - 1), rel=1e-6
        )
    for each in layers[at + 1 :]:
        assert each == pytest.approx(free[at], rel=1e-6)


def test_a_given_norm_is_held_from_the_first_measurement_on(spec: Make, catalogue: Catalogue) -> None:
    points = train(spec({"hold_norm": {"of": "weights", "log_norm": 1.5}}), catalogue)
    assert column(points, "log_norm/weight_norm") == pytest.approx([1.5] * len(points), rel=1e-6)
    given = {"hold_norm": {"of": "spectral_norm_product", "log_norm": 0.25}}
    points = train(spec(given), catalogue)
    assert column(points, "log_norm/spectral_norm_product") == pytest.approx([0.25] * len(points), abs=1e-4)


def test_a_measure_that_scaling_cannot_hold_is_refused_by_name(spec: Make, catalogue: Catalogue) -> None:
    moved = {"name": "spectral_complexity", "params": {"reference": "initial"}}
    refused = spec({"hold_norm": "spectral_complexity"}, measures=[moved])
    with pytest.raises(
        NormlawError, match="measure 'spectral_complexity' is not defined for the network as it is"
    ):
        train(refused, catalogue)

    def shifted(network: nn.Module) -> float:
        return math.log1p(sum(float(p.norm()) for p in network.parameters()))

    with pytest.raises(
        InputError, match=r"measure 'shifted' cannot be held by .* multiplied by 2\^0\.\d+, then"
    ):
        degree_of("shifted", shifted, nn.Linear(3, 2))
    with pytest.raises(ValueError, match="`intervention`: 'l1_norm' is not measured"):
        spec({"hold_norm": "l1_norm"})


def test_a_temperature_of_two_makes_cross_entropy_of_one_output_the_logistic_loss(
    spec: Make, catalogue: Catalogue
) -> None:
    two_classes = {
        "architecture": "perceptron",
        "dataset": {"name": "teacher_student", "params": {"dimension": 20}},
        "measures": ["weight_norm"],
    }
    warm = train(spec({"temperature": 2.0}, **two_classes), catalogue)
    logistic = train(spec(loss="logistic", **two_classes), catalogue)
    for one, other in zip(warm, logistic, strict=True):
        assert one == pytest.approx(other, rel=1e-5)


def test_the_logit_scale_is_divided_by_the_temperature_from_its_start_on(
    spec: Make, catalogue: Catalogue
) -> None:
    """At its start the run is measured as its trunk is; the network itself is as it was."""
    both = {"measures": ["weight_norm", "logit_scale"], "optimizer": {"name": "sgd", "learning_rate": 1e-9}}
    cold = train(spec(**both), catalogue)
    warm = train(spec({"temperature": 2.0, "start": {"step": 6}}, **both), catalogue)
    for one, other in zip(cold, warm, strict=True):
        divided = math.log(2.0) if one["step"] > 6 else 0.0
        scales = one["log_norm/logit_scale"], other["log_norm/logit_scale"]
        assert scales[0] - scales[1] == pytest.approx(divided, abs=1e-6)


@pytest.mark.parametrize("change", [{"learning_rate": 0.01}, {"learning_rate_factor": 0.1}], ids=str)
def test_another_rate_from_a_point_on_is_a_step_of_the_schedule(
    spec: Make, catalogue: Catalogue, change: dict[str, float]
) -> None:
    slower = train(spec({"start": {"step": 6}, **change}), catalogue)
    schedule = {"name": "step", "milestones": [6 / 24], "factor": 0.1}
    stepped = train(spec(learning_rate_schedule=schedule), catalogue)
    for one, other in zip(slower, stepped, strict=True):
        assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize("hold", ["weights", "layers"])
def test_without_biases_a_norm_is_wholly_undone_by_temperature_and_rate(
    spec: Make, catalogue: Catalogue, hold: str
) -> None:
    """Two linear maps f times as large, at temperature f^2, have gradients 1/f as large.

    A step by f^2 the rate is then f times as large. With f = 2 nothing is rounded otherwise, so that errors and
    losses are those of the norm held as it was, to the last bit.
    """
    start = {"start": {"step": 6}}
    bias_free = {"architecture": {"name": "mlp", "params": {"hidden": [8], "bias": False}}}
    held = train(spec({**start, "hold_norm": hold}, **bias_free), catalogue)
    undone = {"hold_norm": {"of": hold, "factor": 2}, "temperature": 4}
    double = train(spec({**start, **undone, "learning_rate_factor": 4}, **bias_free), catalogue)
    slower = train(spec({**start, **undone}, **bias_free), catalogue)
    for name in ("test/error", "test/loss", "train/loss"):
        assert column(double, name) == column(held, name)
        assert column(slower, name)[-1] != column(held, name)[-1]
    doubled = column(double, "log_norm/weight_norm")[-1] - column(held, "log_norm/weight_norm")[-1]
    assert doubled == pytest.approx(math.log(2), abs=1e-6)


def test_weight_decay_from_a_point_on_is_that_of_the_update(spec: Make, catalogue: Catalogue) -> None:
    choice = {"name": "adamw", "learning_rate": 1e-12}
    points = train(spec({"start": {"step": 13}, "weight_decay": 1e10}, optimizer=choice), catalogue)
    norms = dict(zip(column(points, "step"), column(points, "log_norm/weight_norm"), strict=True))
    assert norms[13] == pytest.approx(norms[0], rel=1e-6)
    assert norms[24] - norms[13] == pytest.approx(11 * math.log(1 - 0.01), rel=1e-4)


def test_the_factor_on_initial_weights_is_the_networks_own(spec: Make, catalogue: Catalogue) -> None:
    network = {"name": "mlp", "params": {"hidden": [8], "init_factor": 0.25}}
    mine = train(spec({"init_factor": 0.25}), catalogue)
    own = train(spec(architecture=network), catalogue)
    assert mine == own


@pytest.mark.parametrize("start", [{"train_error": 0.6}, {"log_norm": {"weight_norm": 0.87}}])
def test_it_may_start_at_an_error_or_a_norm(spec: Make, catalogue: Catalogue, start: dict[str, Any]) -> None:
    arm = spec({"start": start, "hold_norm": "weights"}, steps=60)
    assert arm.trunk is not None
    free, held = (column(train(one, catalogue), "log_norm/weight_norm") for one in (arm.trunk, arm))
    begun = next(i for i, (one, other) in enumerate(zip(free, held, strict=True)) if one != other)
    assert 1 < begun < len(free) - 1
    assert held[begun - 1 :] == pytest.approx([held[begun - 1]] * len(held[begun - 1 :]), rel=1e-6)


def test_one_that_never_starts_fails_the_run(spec: Make, catalogue: Catalogue) -> None:
    with pytest.raises(
        NeverStartedError, match=r"step 24, before its intervention started: .*'weight_norm': 9.0"
    ):
        train(spec({"start": {"log_norm": {"weight_norm": 9.0}}, "temperature": 2.0}), catalogue)


@pytest.mark.parametrize(
    "change",
    [
        {"start": {"step": 6}, "hold_norm": {"of": "weights", "factor": 0.7}, "temperature": 2.0},
        {"start": {"step": 6}, "hold_norm": "layers", "learning_rate": 0.02},
        {"hold_norm": "weights", "init_factor": 0.5},
    ],
)
def test_a_stack_of_arms_has_the_curves_of_each_alone(
    spec: Make, catalogue: Catalogue, tmp_path: Path, change: dict[str, Any]
) -> None:
    arms = [spec(change, seed=seed) for seed in (1, 2)]
    alone = [train(arm, catalogue) for arm in arms]
    observers = [Saving(tmp_path / str(n), 8) for n in range(2)]
    assert train_together(arms, catalogue, observers) == [None, None]
    for observer, points in zip(observers, alone, strict=True):
        for one, other in zip(observer.points, points, strict=True):
            assert one == pytest.approx(other, rel=2e-4, abs=2e-4)
    resumed = [Saving(tmp_path / f"again {n}", -1) for n in range(2)]
    states = [observer.saved() for observer in observers]
    assert train_together(arms, catalogue, resumed, resume=states) == [None, None]
    for again, observer in zip(resumed, observers, strict=True):
        rest = [point for point in observer.points if point["step"] > 8]
        for one, other in zip(again.points, rest, strict=True):
            assert one == pytest.approx(other, rel=2e-4, abs=2e-4)


def test_a_stack_leaves_its_trunks_where_they_are(spec: Make, catalogue: Catalogue, tmp_path: Path) -> None:
    arms = [spec({"start": {"step": 6}, "hold_norm": "weights"}, seed=seed) for seed in (1, 2)]
    states = []
    for number, arm in enumerate(arms):
        assert arm.trunk is not None
        saving = Saving(tmp_path / str(number), 6)
        train(arm.trunk, catalogue, observer=saving)
        states.append(saving.saved())
    observers = [Saving(tmp_path / f"arm {n}", -1) for n in range(2)]
    assert train_together(arms, catalogue, observers, resume=states) == [None, None]
    for arm, observer in zip(arms, observers, strict=True):
        rest = [point for point in train(arm, catalogue) if point["step"] > 6]
        for one, other in zip(observer.points, rest, strict=True):
            assert one == pytest.approx(other, rel=2e-4, abs=2e-4)


def test_torch_alone_takes_the_same_held_steps(spec: Make, catalogue: Catalogue) -> None:
    """Three steps of gradient descent on all examples, written out, with the norm scaled back after each."""
    arm = spec({"hold_norm": "weights"}, batch_size=48, steps=3, measuring_points=3)
    points = train(arm, catalogue)
    run = Run(arm, catalogue, Path("unused"), "cpu", Observer())
    inputs, labels = run.data.train.batch(slice(0, 48))
    weights = [p for p in run.network.parameters() if p.dim() == 2]
    norm = math.sqrt(sum(float(w.detach().square().sum()) for w in weights))
    for _ in range(3):
        run.network.zero_grad()
        nn.functional.cross_entropy(run.network(inputs), labels).backward()
        with torch.no_grad():
            for p in run.network.parameters():
                assert p.grad is not None
                p.sub_(0.1 * p.grad)
            now = math.sqrt(sum(float(w.square().sum()) for w in weights))
            for w in weights:
                w.mul_(norm / now)
    loss = nn.functional.cross_entropy(run.network(inputs), labels).detach()
    assert points[-1]["train/loss"] == pytest.approx(float(loss), rel=1e-5)
