"""A stack's runs have the curves that they have alone, to rounding, and end each in its own way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from normlaw.study.spec import RunSpec
from normlaw.training import stacking, together
from normlaw.training.checkpoints import Checkpoints
from normlaw.training.evaluation import Inexact, Point, TrainingDivergedError
from normlaw.training.loop import train
from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw.training.state import TrainingState
from normlaw.training.together import train_together
from normlaw_registry import Catalogue

COMMON: dict[str, Any] = {
    "dataset": "digits",
    "train_size": 70,
    "batch_size": 16,
    "steps": 25,
    "measuring_points": 8,
    "optimizer": {"name": "adam", "learning_rate": 3e-3, "weight_decay": 1e-3},
    "measures": ["weight_norm", "spectral_complexity_kernel"],
}
NETWORKS: dict[str, dict[str, Any]] = {
    "cnn": {"name": "cnn", "params": {"channels": [4, 8], "hidden": [16]}},
    "resnet": {"name": "resnet", "params": {"channels": [4, 8], "blocks": [1, 1]}},
    "vit": {"name": "vit", "params": {"patch": 4, "width": 16, "depth": 2, "heads": 2}},
    "gpt": {"name": "gpt", "params": {"width": 8, "depth": 1, "heads": 2, "positions": "rotary"}},
    "lstm": {"name": "lstm", "params": {"width": 8, "hidden": 8}},
}
SLOW = ("resnet", "vit")
"""Networks that take more than two seconds."""
TOKENS = {"name": "markov", "params": {"vocabulary": 7, "length": 8, "test_size": 40, "concentration": 0.1}}
TOLERANCE = 2e-4
MLP = {"name": "mlp", "params": {"hidden": [16]}}


class Kept(Observer):
    """Keeps a run's points; may stop it at a safe point, with a checkpoint."""

    def __init__(self, checkpoints: Checkpoints | None = None, stop_at: float = -1.0) -> None:
        self.points: list[Point] = []
        self.checkpoints, self.stop_at = checkpoints, stop_at

    def point(self, point: Point, inexact: Inexact) -> None:
        self.points.append(point)

    def safe_point(self, state: Callable[[], TrainingState] | None) -> None:
        if self.checkpoints is not None and self.points[-1]["step"] == self.stop_at:
            assert state is not None
            self.checkpoints.save(state())
            raise KeyError("stopped")


@pytest.fixture
def spec(catalogue: Catalogue) -> Callable[..., RunSpec]:
    def of(seed: int, **changes: Any) -> RunSpec:
        return RunSpec.model_validate({**COMMON, "seed": seed, **changes}).resolved(catalogue)

    return of


def assert_same_curve(stacked: list[Point], alone: list[Point]) -> None:
    """Errors count examples and must agree exactly; a loss and a norm only to rounding."""
    assert [point["step"] for point in stacked] == [point["step"] for point in alone]
    for one, other in zip(stacked, alone, strict=True):
        assert one == pytest.approx(other, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.filterwarnings("error:There is a performance drop")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in NETWORKS]
)
def test_a_stacked_run_has_its_own_curve(name: str, spec: Callable[..., RunSpec], catalogue: Catalogue) -> None:
    data = {"dataset": TOKENS} if name in ("gpt", "lstm") else {}
    specs = [spec(seed, architecture=NETWORKS[name], steps=15, **data) for seed in range(2)]
    kept = [Kept() for _ in specs]
    assert train_together(specs, catalogue, kept) == [None] * 2
    alone = [train(one, catalogue) for one in specs]
    for stacked, points in zip(kept, alone, strict=True):
        assert_same_curve(stacked.points, points)
    moved = [abs(points[-1]["train/loss"] - points[0]["train/loss"]) for points in alone]
    assert min(moved) > 50 * TOLERANCE  # the comparison is of networks that have learnt
    assert abs(alone[0][-1]["train/loss"] - alone[1][-1]["train/loss"]) > 5 * TOLERANCE  # and that differ


OPTIONS: dict[str, dict[str, Any]] = {
    "momentum and a schedule": {
        "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
        "learning_rate_schedule": {"name": "cosine", "warmup_steps": 3},
    },
    "augmentation": {"augmentation": {"shift": 0.2, "test_images": True}},
    "squared error and noise": {"loss": "mse", "label_noise": 0.2, "optimizer": {"name": "adamw"}},
    "held-out validation": {"validation": {"source": "held_out", "size": 50}},
}


@pytest.mark.parametrize("name", list(OPTIONS))
def test_options_act_on_each_member(name: str, spec: Callable[..., RunSpec], catalogue: Catalogue) -> None:
    architecture = NETWORKS["cnn"] if name == "augmentation" else MLP
    specs = [spec(seed, architecture=architecture, steps=15, **OPTIONS[name]) for seed in range(2)]
    kept = [Kept() for _ in specs]
    assert train_together(specs, catalogue, kept) == [None] * 2
    for stacked, one in zip(kept, specs, strict=True):
        assert_same_curve(stacked.points, train(one, catalogue))


def test_perceptrons_of_many_sizes_train_together(
    spec: Callable[..., RunSpec], catalogue: Catalogue, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "architecture": "perceptron",
        "dataset": {"name": "teacher_student", "params": {"dimension": 40}},
        "measures": ["weight_norm"],
        "steps": None,
        "epochs": 6,
    }
    specs = [spec(seed, train_size=size, **settings) for size in (20, 70, 100) for seed in (0, 1)]
    assert stacking.stacks(specs, catalogue, tmp_path, 6) == [tuple(specs)]
    kept = [Kept() for _ in specs]
    assert train_together(specs, catalogue, kept) == [None] * 6
    for stacked, one in zip(kept, specs, strict=True):
        assert_same_curve(stacked.points, train(one, catalogue))


@pytest.mark.slow
def test_each_member_has_its_own_early_stop(spec: Callable[..., RunSpec], catalogue: Catalogue) -> None:
    settings = {"architecture": MLP, "train_size": 20, "steps": 400, "stop": {"train_error": 0.0}}
    specs = [spec(seed, measuring_points=30, **settings) for seed in range(3)]
    kept = [Kept() for _ in specs]
    train_together(specs, catalogue, kept)
    assert len({stacked.points[-1]["step"] for stacked in kept}) > 1
    for stacked, one in zip(kept, specs, strict=True):
        assert_same_curve(stacked.points, train(one, catalogue))


def test_a_member_that_diverges_harms_no_other(
    spec: Callable[..., RunSpec], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    descent = {"name": "sgd", "learning_rate": 0.01}
    specs = [spec(seed, architecture=MLP, loss="mse", optimizer=descent) for seed in range(3)]
    kept = [Kept() for _ in specs]
    made = Run

    def with_a_bad_seed(one: RunSpec, *arguments: Any) -> Any:
        run = made(one, *arguments)
        if one.seed == 1:
            with torch.no_grad():
                next(run.network.parameters()).mul_(1e12)  # its gradient grows with the third power
        return run

    monkeypatch.setattr(together, "Run", with_a_bad_seed)
    results = train_together(specs, catalogue, kept)
    assert isinstance(results[1], TrainingDivergedError)
    assert results[0] is results[2] is None
    for place in (0, 2):
        assert_same_curve(kept[place].points, train(specs[place], catalogue))


@pytest.mark.parametrize("stacked_again", [True, False])
@pytest.mark.slow
def test_a_member_goes_on_from_its_checkpoint_in_a_stack_or_alone(
    stacked_again: bool, spec: Callable[..., RunSpec], catalogue: Catalogue, tmp_path: Path
) -> None:
    specs = [spec(seed, architecture=NETWORKS["resnet"]) for seed in range(2)]
    stores = [Checkpoints(tmp_path / str(one.seed), "run") for one in specs]
    kept = [Kept(store, stop_at=6.0) for store in stores]
    results = train_together(specs, catalogue, kept)
    assert all(isinstance(result, KeyError) for result in results)
    states = [next(store.states()) for store in stores]
    later = [Kept() for _ in specs]
    if stacked_again:
        assert train_together(specs, catalogue, later, resume=states) == [None, None]
    else:
        for one, observer, state in zip(specs, later, states, strict=True):
            train(one, catalogue, observer=observer, resume=state)
    for first, second, one in zip(kept, later, specs, strict=True):
        assert_same_curve(first.points + second.points, train(one, catalogue))


def test_only_runs_that_can_be_stacked_are(
    spec: Callable[..., RunSpec], catalogue: Catalogue, tmp_path: Path
) -> None:
    def sizes(*specs: RunSpec, size: int = 8) -> list[int]:
        return [len(stack) for stack in stacking.stacks(specs, catalogue, tmp_path, size)]

    dropout = {"name": "cnn", "params": {"channels": [4], "hidden": [8], "dropout": 0.5}}
    assert sizes(*(spec(seed, architecture=MLP) for seed in range(5)), size=2) == [2, 2, 1]
    assert sizes(*(spec(seed, architecture=dropout) for seed in range(3))) == [1, 1, 1]
    assert sizes(*(spec(0, architecture=NETWORKS["resnet"], train_size=p) for p in (20, 40))) == [1, 1]
    assert sizes(*(spec(0, architecture=MLP, train_size=p) for p in (20, 40))) == [2]
    assert sizes(*(spec(0, architecture=MLP, batch_size=b) for b in (8, 16))) == [1, 1]


def test_a_stack_that_does_not_fit_says_how_many_do(
    spec: Callable[..., RunSpec], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [spec(seed, architecture=MLP) for seed in range(4)]
    run = Run(specs[0], catalogue, Path("unused"), "cpu", Observer())
    room = int(2.5 * stacking.member_bytes(run) / stacking.SPARE)
    monkeypatch.setattr(stacking, "_free_bytes", lambda device: room)
    with pytest.raises(stacking.StackTooLargeError) as error:
        train_together(specs, catalogue, [Kept() for _ in specs])
    assert error.value.fitting == 2
