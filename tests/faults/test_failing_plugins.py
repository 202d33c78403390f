"""Whatever a plugin's code does, its run fails with a reason, and no other run does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

MEASURES = """
import ctypes
import os
import sys

from normlaw_registry import ComplexityMeasure, MeasuredValue, hookimpl

def crash():
    ctypes.string_at(0)


def say_goodbye():
    sys.exit("no licence")


def fall():
    raise ValueError("the sky")


def leave():
    os._exit(5)


HAPPEN = {33: crash, 34: say_goodbye, 35: fall, 36: leave}


def by_size(params, context):
    HAPPEN.get(len(context.train_labels), int)()
    return MeasuredValue(log_value=1.0)


@hookimpl
def normlaw_complexity_measures():
    yield ComplexityMeasure(name="moody", summary="By the number of examples.", measure=by_size)
"""
NAMES = {33: "crashes", 34: "exits", 35: "raises", 36: "leaves", 37: "works"}


@pytest.mark.slow
def test_each_failure_is_told_once_with_its_place(
    install_plugin: Callable[[str], Any],
    small: dict[str, Any],
    write_study: Callable[[dict[str, Any]], Path],
    tmp_path: Path,
) -> None:
    plugin = install_plugin(MEASURES)
    small["fixed"]["measures"] = ["weight_norm", "moody"]
    small["vary"] = {"train_size": list(NAMES), "seed": [0]}
    done = plugin.normlaw("run", str(write_study(small)), cwd=tmp_path)
    assert done.returncode == 1
    assert "small: 1 trained, 0 already there, 4 failed" in done.stdout
    shown = done.stderr
    expected = {
        "crashes": ("3 times, a library crashed in its process (SIGSEGV, segmentation fault)", "string_at(0)"),
        "exits": ("it called sys.exit('no licence')", "sys.exit("),
        "raises": ("'moody' failed: ValueError: the sky", "raise ValueError"),
        "leaves": ("3 times, its process ended with exit code 5", None),
    }
    for reason, code in expected.values():
        [told] = [line for line in shown.splitlines() if reason in line]
        if code is not None:
            assert f"{plugin.module}, line {plugin.line(code)}" in told
    assert "Traceback" not in shown

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    [experiment] = [e.experiment_id for e in client.search_experiments() if e.name == "small"]
    runs = client.search_runs([experiment], "tags.`normlaw.kind` = 'training'")
    ended = {NAMES[int(run.data.params["train_size"])]: run for run in runs}
    assert {name: run.info.status for name, run in ended.items()} == {
        **dict.fromkeys(expected, "FAILED"),
        "works": "FINISHED",
    }
    for name, (reason, code) in expected.items():
        assert reason in ended[name].data.tags["normlaw.failure"]
        if code is not None:
            local = client.download_artifacts(ended[name].info.run_id, "traceback.txt", str(tmp_path))
            text = Path(local).read_text()
            assert f'"{plugin.module}", line {plugin.line(code)} in ' in text.replace(", in ", " in ")
