"""A run that is stopped and gone on with gives the bits of one that was not; a bad checkpoint is not used."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from normlaw.study.spec import RunSpec
from normlaw.training.checkpoints import KEPT, MAGIC, Checkpoints
from normlaw.training.loop import train
from normlaw.training.memory_format import untouched
from normlaw.training.observer import Observer
from normlaw.training.state import TrainingState
from normlaw_registry import Catalogue, NormlawError

COMMON = {"dataset": "digits", "train_size": 70, "seed": 3, "batch_size": 16, "measuring_points": 9}
RUNS: dict[str, dict[str, Any]] = {
    "amid an epoch": {
        "architecture": {"name": "mlp", "params": {"hidden": [16]}},
        "optimizer": {"name": "sgd", "momentum": 0.9, "learning_rate": 0.05},
        "steps": 13,
        "measures": ["weight_norm"],
        "learning_rate_schedule": "cosine",
        "label_noise": 0.2,
    },
    "batch norm, augmentation, warm iterations, initial weights": {
        "architecture": {"name": "resnet", "params": {"channels": [4, 8], "blocks": [1, 1]}},
        "optimizer": {"name": "adamw", "weight_decay": 0.1},
        "steps": 9,
        "measures": ["spectral_complexity", "distance_from_initialisation"],
        "augmentation": {"shift": 0.2, "rotation": 5, "test_images": True},
    },
    "dropout": {
        "architecture": {
            "name": "vit",
            "params": {"patch": 4, "width": 8, "depth": 1, "heads": 2, "dropout": 0.2},
        },
        "optimizer": {"name": "adam"},
        "steps": 8,
        "measures": ["weight_norm"],
    },
    "sequences": {
        "architecture": {"name": "gpt", "params": {"width": 8, "depth": 1, "heads": 2, "dropout": 0.2}},
        "dataset": {"name": "markov", "params": {"vocabulary": 5, "length": 6, "test_size": 20}},
        "steps": 8,
        "measures": ["weight_norm", "spectral_complexity_kernel"],
    },
    "sequences, each once, in bfloat16": {
        "architecture": {"name": "lstm", "params": {"width": 8, "hidden": 8}},
        "dataset": {
            "name": "random_walk",
            "params": {"vertices": 7, "degree": 3, "length": 6, "test_size": 20},
        },
        "compute": {"precision": "bfloat16"},
        "sampling": "one_pass",
        "train_size": 200,
        "measures": ["weight_norm"],
    },
    "each example once": {
        "architecture": {"name": "random_features", "params": {"width": 12}},
        "dataset": {"name": "power_law_regression", "params": {"modes": 20}},
        "loss": "squared",
        "optimizer": {"name": "sgd", "learning_rate": 0.05},
        "sampling": "one_pass",
        "train_size": 2500,
        "measures": ["weight_norm"],
    },
}


class StopError(Exception):
    pass


class StopAt(Observer):
    """Writes a checkpoint at one safe point and ends the run there, as a kill right after it would."""

    def __init__(self, number: int, checkpoints: Checkpoints) -> None:
        self.number, self.checkpoints = number, checkpoints

    def safe_point(self, state: Callable[[], TrainingState] | None) -> None:
        if self.number == 0:
            assert state is not None
            self.checkpoints.save(state())
            raise StopError
        self.number -= 1


@pytest.mark.parametrize("number", [0, 1, 4])
@pytest.mark.parametrize("name", list(RUNS))
@pytest.mark.slow
def test_a_resumed_run_has_the_same_bits(name: str, number: int, catalogue: Catalogue, tmp_path: Path) -> None:
    spec = RunSpec.model_validate({**COMMON, **RUNS[name]}).resolved(catalogue)
    whole = train(spec, catalogue)
    checkpoints = Checkpoints(tmp_path / "c", "this run")
    with pytest.raises(StopError):
        train(spec, catalogue, observer=StopAt(number, checkpoints))
    torch.manual_seed(12345)  # another process's generator stands elsewhere
    state = next(checkpoints.states())
    assert state.step == whole[number]["step"]
    assert train(spec, catalogue, resume=state) == whole[number + 1 :]


def state_at(step: int) -> TrainingState:
    return TrainingState(
        step=step,
        network={"weight": torch.full((3,), float(step))},
        optimizer={"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
        order={"stream": "{}", "order": torch.arange(4), "taken": 2},
        measurer={},
        generators={"cpu": torch.get_rng_state()},
    )


def test_the_newest_two_are_kept_and_read_newest_first(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "run")
    for step in (1, 10, 9, 200):
        checkpoints.save(state_at(step))
    assert [state.step for state in checkpoints.states()] == [200, 10]
    assert len(list(tmp_path.iterdir())) == KEPT
    checkpoints.clear()
    assert not tmp_path.exists()


def test_one_cut_anywhere_is_detected_and_the_one_before_it_used(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "run")
    checkpoints.save(state_at(1))
    checkpoints.save(state_at(2))
    newest = sorted(tmp_path.iterdir())[-1]
    whole = newest.read_bytes()
    for length in [*range(len(MAGIC) + 40), *range(len(MAGIC) + 40, len(whole), 97), len(whole) - 1]:
        newest.write_bytes(whole[:length])
        assert [state.step for state in checkpoints.states()] == [1], length
    for place in range(0, len(whole), 211):
        flipped = bytearray(whole)
        flipped[place] ^= 4
        newest.write_bytes(flipped)
        assert [state.step for state in checkpoints.states()] == [1], place
    newest.write_bytes(whole)
    assert [state.step for state in checkpoints.states()] == [2, 1]


def test_one_of_another_run_is_not_used(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "run").save(state_at(1))
    assert list(Checkpoints(tmp_path, "the same run under another version of torch").states()) == []


def test_one_from_before_there_was_a_rule_of_layout_is_used_where_the_rule_changes_nothing(
    tmp_path: Path,
) -> None:
    former = Checkpoints(tmp_path, "run")
    now = Checkpoints(tmp_path, "run with the rule", "run", lambda state: untouched(state.network.values()))
    for weight, taken in (
        (torch.ones(8, 4, 3, 3), True),
        (torch.ones(8, 16, 1, 1), True),
        (torch.ones(8, 4, 1, 1), False),
    ):
        former.save(replace(state_at(1), network={"weight": weight}))
        assert [state.step for state in now.states()] == [1] * taken
    now.save(replace(state_at(1), network={"weight": torch.ones(8, 4, 1, 1)}))
    assert [state.step for state in now.states()] == [1]


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_loading_executes_nothing(tmp_path: Path) -> None:
    import hashlib

    buffer = io.BytesIO()
    torch.save({"identity": "run", "step": Bomb(tmp_path / "executed")}, buffer)
    payload = buffer.getvalue()
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "000000000001.ckpt").write_bytes(MAGIC + hashlib.sha256(payload).digest() + payload)
    assert list(Checkpoints(folder, "run").states()) == []
    assert not (tmp_path / "executed").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NormlawError, match="the checkpoint cannot be written"):
        Checkpoints(tmp_path / "file" / "c", "run").save(state_at(1))
