"""A launch is a run, its name a tag of the runs that it trained; nothing stays RUNNING, whatever kills it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from normlaw.tracking.launch_file import Launch, is_over, launch_path, read_launch
from normlaw_tests.launches import OUTPUT, Nursery
from normlaw_tests.servers import MlflowServer
from normlaw_tests.waiting import wait_until


@dataclass
class Here:
    """A user in a folder of his own, at the server."""

    folder: Path
    nursery: Nursery
    uri: str

    def begin(self, *arguments: str | Path, **more: str) -> int:
        """Launch normlaw; return its process id."""
        return self.nursery.launch(self.folder, *arguments, env={"MLFLOW_TRACKING_URI": self.uri, **more})

    def normlaw(self, *arguments: str | Path, **more: str) -> None:
        """Run normlaw, which must do all that it was asked for."""
        assert self.nursery.wait(self.begin(*arguments, **more)) == 0, (self.folder / OUTPUT).read_text()


@pytest.fixture
def here(tmp_path: Path, mlflow_server: MlflowServer, nursery: Nursery) -> Here:
    return Here(tmp_path, nursery, mlflow_server.uri)


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


@pytest.mark.slow
def test_runs_name_the_launch_that_began_them(
    study: dict[str, Any], write_study: Callable[..., Path], here: Here, mlflow_server: MlflowServer
) -> None:
    often = {"MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL": "0.2"}
    here.normlaw("run", write_study(study), "--system-metrics", **often)
    (launch,) = runs(mlflow_server.uri, study["name"], "launch")
    assert launch.info.status == "FINISHED"
    assert launch.info.run_name.startswith("launch 2")
    assert launch.data.params["runs"] == "2"
    assert launch.data.metrics["trained"] == 2
    assert f"'{launch.data.tags['normlaw.launch']}'" in launch.data.tags["mlflow.note.content"]
    assert 0 <= launch.data.metrics["system/cpu_utilization_percentage"] <= 100
    trained = runs(mlflow_server.uri, study["name"], "training")
    assert not any("mlflow.parentRunId" in run.data.tags for run in trained)
    assert {run.data.tags["normlaw.launch"] for run in trained} == {launch.data.tags["normlaw.launch"]}
    names = {run.info.run_name for run in trained}
    assert names == {"cnn digits P=32 seed=0 weight_decay=0.0", "cnn digits P=32 seed=0 weight_decay=0.1"}


@pytest.mark.slow
def test_a_launch_without_a_server_is_told_by_the_next_sync(
    study: dict[str, Any], write_study: Callable[..., Path], here: Here, mlflow_server: MlflowServer
) -> None:
    here.normlaw("run", write_study(study), "--offline")
    assert runs(mlflow_server.uri, study["name"], "launch") == []
    here.normlaw("sync")
    (launch,) = runs(mlflow_server.uri, study["name"], "launch")
    assert launch.info.status == "FINISHED"
    trained = runs(mlflow_server.uri, study["name"], "training")
    assert {run.data.tags["normlaw.launch"] for run in trained} == {launch.data.tags["normlaw.launch"]}
    assert {run.data.metrics["train_size"] for run in trained} == {32}
    assert {run.data.metrics["optimizer.weight_decay"] for run in trained} == {0.0, 0.1}
    assert launch.info.start_time <= min(run.info.start_time for run in trained)
    assert launch.info.end_time >= max(run.info.end_time for run in trained)


@pytest.mark.slow
def test_a_killed_launch_does_not_run_for_ever(
    study: dict[str, Any], write_study: Callable[..., Path], here: Here, mlflow_server: MlflowServer
) -> None:
    study["fixed"]["steps"] = 100_000
    process = here.begin("run", write_study(study), "--max-parallel", "1")
    wait_until(lambda: runs(mlflow_server.uri, study["name"], "launch"), pause=0.2)
    (launch,) = runs(mlflow_server.uri, study["name"], "launch")
    assert launch.info.status == "RUNNING"
    here.normlaw("sync")
    (launch,) = runs(mlflow_server.uri, study["name"], "launch")
    assert launch.info.status == "RUNNING", "it lives"
    os.killpg(process, signal.SIGKILL)
    assert here.nursery.wait(process) == -signal.SIGKILL
    here.nursery.wait(here.begin("sync"))
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
        launch.end("FAILED", {"failed": 1})
    record = read_launch(path)
    assert record is not None
    assert is_over(path)
    assert (record.status, dict(record.about), dict(record.numbers)) == (
        "FAILED",
        {"runs": "3"},
        {"failed": 1},
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
