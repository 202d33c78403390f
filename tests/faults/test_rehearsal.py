"""What does not fit is found before anything is launched, once each; a rehearsal shows it with the cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

AWKWARD = """
import ctypes

from torch import nn

from normlaw_registry import Architecture, Dataset, hookimpl


def narrow(params, task):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 2))


def unreadable(params, context):
    return open("/nowhere/images.bin").read()


def crash(params, task):
    return ctypes.string_at(0)


@hookimpl
def normlaw_architectures():
    yield Architecture(name="narrow", summary="s", build=narrow)
    yield Architecture(name="crashes", summary="s", build=crash)


@hookimpl
def normlaw_datasets():
    yield Dataset(name="unreadable", summary="s", load=unreadable)
"""
STUDY = """name: awkward
fixed:
  batch_size: 16
  steps: 40
  measuring_points: 8
  measures: [weight_norm]
vary:
  architecture:
    - {name: cnn, params: {channels: [2], hidden: [4]}}
    - narrow
    - crashes
  dataset:
    - digits
    - unreadable
  train_size: [32, 64]
  seed: {count: 2}
norm: weight_norm
"""


@pytest.mark.slow
@pytest.mark.parametrize("rehearsed", [True, False])
def test_each_misfit_is_named_once_with_its_line(
    rehearsed: bool, install_plugin: Callable[[str], Any], tmp_path: Path
) -> None:
    plugin = install_plugin(AWKWARD)
    folder = tmp_path / "work"
    folder.mkdir()
    study = tmp_path / "awkward.yaml"
    study.write_text(STUDY)
    arguments = ("--dry-run",) if rehearsed else ("--max-parallel", "1")
    done = plugin.normlaw("run", str(study), *arguments, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line.removeprefix("error: ") for line in done.stderr.splitlines() if str(study) in line]
    assert len(lines) == len(set(lines)) == 3, done.stderr
    told = {int(re.match(rf"{re.escape(str(study))}:(\d+): ", line)[1]): line for line in lines}  # type: ignore[index]
    assert told.keys() == {10, 11, 14}
    assert "vary.architecture.1: architecture 'narrow' of awkward 1.0 cannot be applied to dataset" in told[10]
    assert "have the shape (8, 2), not (8, 10)" in told[10]
    assert "dataset 'unreadable' of awkward 1.0 cannot be loaded: /nowhere/images.bin: No such file" in told[14]
    assert f"{plugin.module}, line {plugin.line('images.bin')}" in told[14]
    assert "SIGSEGV" in told[11]
    assert f"{plugin.module}, line {plugin.line('string_at')}" in told[11]
    assert list(folder.iterdir()) == [], "nothing was begun"
    if rehearsed:
        assert done.stdout.count("P=") == 24


@pytest.mark.slow
def test_a_rehearsal_lists_runs_and_costs_and_makes_nothing(
    install_plugin: Callable[[str], Any], small: dict[str, Any], tmp_path: Path
) -> None:
    plugin = install_plugin(
        "from normlaw_registry import hookimpl\n\n\n@hookimpl\ndef normlaw_datasets():\n    return []\n"
    )
    folder = tmp_path / "work"
    folder.mkdir()
    study = tmp_path / "small.yaml"
    study.write_text(yaml.safe_dump(small))
    done = plugin.normlaw("run", str(study), "--dry-run", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("cnn digits P=")]
    assert len(rows) == 6
    assert all(re.search(r" 40 +\d+\.\d+$", row) for row in rows), done.stdout
    assert "6 runs, 240 steps" in done.stdout
    assert "1 combination" in done.stdout
    assert list(folder.iterdir()) == []


DEADLY = """
import os
import signal
from pathlib import Path

from normlaw_registry import Architecture, Params, hookimpl
from torch import nn


class Deaths(Params):
    deaths: int


def build(params, task):
    with Path("builds.txt").open("a") as file:
        print(file=file)
    if len(Path("builds.txt").read_text()) <= params.deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


@hookimpl
def normlaw_architectures():
    yield Architecture(name="deadly", summary="s", build=build, params=Deaths)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("deaths", "status"), [(2, 0), (3, 2)])
def test_a_killed_trial_is_tried_again(
    deaths: int, status: int, install_plugin: Callable[[str], Any], small: dict[str, Any], tmp_path: Path
) -> None:
    plugin = install_plugin(DEADLY)
    network = {"name": "deadly", "params": {"deaths": deaths}}
    study = tmp_path / "small.yaml"
    study.write_text(yaml.safe_dump(small | {"fixed": {**small["fixed"], "architecture": network}}))
    done = plugin.normlaw("run", str(study), "--dry-run", cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert ("3 times, its process was killed from outside (SIGKILL)" in done.stderr) == (status == 2)
