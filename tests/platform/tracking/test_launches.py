"""A launch is a run that its training runs are nested under, and nothing stays RUNNING, whatever kills it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from normlaw.tracking.launch_file import Launch, is_over, launch_path, read_launch

SECONDS = 120


@pytest.fixture
def here(tmp_path: Path, mlflow_server: Any) -> dict[str, str]:
    """Return the environment of a user with a home of his own."""
    return os.environ | {"MLFLOW_TRACKING_URI": mlflow_server.uri, "NORMLAW_HOME": str(tmp_path / "home")}


def normlaw(*arguments: str | Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "normlaw", *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)


def runs(uri: str, study: str, kind: str) -> list[Run]:
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        return []
    wanted = f"tags.`normlaw.kind` = '{kind}'"
    return list(client.search_runs([experiment.experiment_id], wanted, order_by=["attributes.start_time ASC"]))


@pytest.fixture
def study(tiny: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a study of two runs with a name of its own."""
    tiny["name"] = request.node.name[:60].rstrip("_")
    tiny["vary"] = {"train_size": [32], "seed": [0], "optimizer.weight_decay": [0.0, 0.1]}
    return tiny


def test_runs_stand_below_the_launch_that_began_them(
    study: dict[str, Any], write_study: Callable[..., Path], here: dict[str, str], mlflow_server: Any
) -> None:
    here["MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"] = "0.2"
    done = normlaw("run", write_study(study), "--system-metrics", env=here)
    assert done.returncode == 0, done.stderr
    (launch,) = runs(mlflow_server.uri, study["name"], "launch")
    assert launch.info.status == "FINISHED"
    assert launch.info.run_name.startswith("launch 2")
    assert launch.data.params["runs"] == "2"
    assert launch.data.metrics["launch/trained"] == 2
    assert 0 <= launch.data.metrics["system/cpu_utilization_percentage"] <= 100
    trained = runs(mlflow_server.uri, study["name"], "training")
    assert {run.data.tags["mlflow.parentRunId"] for run in trained} == {launch.info.run_id}
    assert {run.data.tags["normlaw.launch"] for run in trained} == {launch.data.tags["normlaw.launch"]}
    names = {run.info.run_name for run in trained}
    assert names == {"cnn digits P=32 seed=0 weight_decay=0.0", "cnn digits P=32 seed=0 weight_decay=0.1"}


def test_a_launch_without_a_server_is_told_by_the_next_sync(
    study: dict[str, Any], write_study: Callable[..., Path], here: dict[str, str], mlflow_server: Any
) -> None:
    assert normlaw("run", write_study(study), "--offline", env=here).returncode == 0
    assert runs(mlflow_server.uri, study["name"], "launch") == []
    done = normlaw("sync", env=here)
    assert done.returncode == 0, done.stderr
    (launch,) = runs(mlflow_server.uri, study["name"], "launch")
    assert launch.info.status == "FINISHED"
    trained = runs(mlflow_server.uri, study["name"], "training")
    assert {run.data.tags["mlflow.parentRunId"] for run in trained} == {launch.info.run_id}
    assert launch.info.start_time <= min(run.info.start_time for run in trained)
    assert launch.info.end_time >= max(run.info.end_time for run in trained)


def test_a_killed_launch_does_not_run_for_ever(
    study: dict[str, Any], write_study: Callable[..., Path], here: dict[str, str], mlflow_server: Any
) -> None:
    study["fixed"]["steps"] = 100_000
    command = [sys.executable, "-m", "normlaw", "run", str(write_study(study)), "--max-parallel", "1"]
    process = subprocess.Popen(command, env=here, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + SECONDS
        while not runs(mlflow_server.uri, study["name"], "launch"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.3)
        (launch,) = runs(mlflow_server.uri, study["name"], "launch")
        assert launch.info.status == "RUNNING"
        assert normlaw("sync", env=here).returncode == 0
        (launch,) = runs(mlflow_server.uri, study["name"], "launch")
        assert launch.info.status == "RUNNING", "it lives"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
    normlaw("sync", env=here)
    (launch,) = runs(mlflow_server.uri, study["name"], "launch")
    assert launch.info.status == "KILLED"
    assert launch.info.end_time >= launch.info.start_time
    assert not [
        run for run in runs(mlflow_server.uri, study["name"], "training") if run.info.status == "RUNNING"
    ]


def test_the_file_of_a_launch_tells_how_it_ended(tmp_path: Path) -> None:
    (tmp_path / "journal" / "s").mkdir(parents=True)
    with Launch(tmp_path, "s", {"runs": "3"}) as launch:
        path = launch_path(tmp_path, "s", launch.name)
        assert not is_over(path)
        launch.end("FAILED", {"launch/failed": 1})
    record = read_launch(path)
    assert record is not None
    assert is_over(path)
    assert (record.status, dict(record.about), dict(record.numbers)) == (
        "FAILED",
        {"runs": "3"},
        {"launch/failed": 1},
    )
    with pytest.raises(KeyboardInterrupt), Launch(tmp_path, "s", {}) as stopped:
        raise KeyboardInterrupt
    record = read_launch(launch_path(tmp_path, "s", stopped.name))
    assert record is not None
    assert record.status == "KILLED"


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]\n", b'{"surprise": 1}\n', b'{"ended": 1}\n'])
def test_a_damaged_file_of_a_launch_harms_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.launch").write_bytes(content)
    assert read_launch(tmp_path / "x.launch") is None
