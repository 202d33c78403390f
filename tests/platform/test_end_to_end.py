"""A tiny study through everything: trained, sent to a real MLflow server, read back, fitted, reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

WriteStudy = Callable[[dict[str, Any]], Path]


def normlaw(*arguments: str | Path, cwd: Path, uri: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would, in a folder of its own."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MLFLOW_TRACKING_URI", "NORMLAW_HOME")}
    if uri:
        environment["MLFLOW_TRACKING_URI"] = uri
    command = [sys.executable, "-m", "normlaw", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


def test_from_yaml_to_laws_on_a_server(
    mlflow_server: Any, tiny: dict[str, Any], write_study: WriteStudy, tmp_path: Path
) -> None:
    study = write_study(tiny)
    machine, another = tmp_path / "machine", tmp_path / "another"
    machine.mkdir()
    another.mkdir()

    before = len(mlflow_server.requests())
    done = normlaw("run", study, cwd=machine, uri=mlflow_server.uri)
    assert done.returncode == 0, done.stderr
    assert "8 trained, 0 already there, 0 failed" in done.stdout
    requests = mlflow_server.requests()[before:]
    per_launch = 4  # the probe, the experiment by name, its creation and reading, the search of its runs
    assert len(requests) <= 8 * 6 + per_launch + 1, requests

    client = MlflowClient(mlflow_server.uri)
    experiment = client.get_experiment_by_name("tiny")
    runs = client.search_runs(
        [experiment.experiment_id],
        filter_string="params.architecture = 'cnn' and params.train_size = '256' and metrics.`test/error` < 1",
    )
    assert len(runs) == 2
    run = runs[0]
    assert run.info.status == "FINISHED"
    assert run.data.tags["normlaw.kind"] == "training"
    assert "normlaw" in run.data.tags["normlaw.plugins"]
    assert run.inputs.dataset_inputs[0].dataset.name == "digits P=256"
    described = json.loads(
        Path(
            download_artifacts(f"runs:/{run.info.run_id}/run.json", tracking_uri=mlflow_server.uri)
        ).read_text()
    )
    assert described["spec"]["train_size"] == 256
    assert described["environment"]["packages"]["torch"]

    history = client.get_metric_history(run.info.run_id, "test/error")
    frame = pd.read_parquet(
        download_artifacts(f"runs:/{run.info.run_id}/curve.parquet", tracking_uri=mlflow_server.uri)
    )
    assert frame["step"].tolist() == [metric.step for metric in history]
    assert frame["test/error"].tolist() == [metric.value for metric in history]
    assert frame["step"].iloc[[0, -1]].tolist() == [0, 60]
    assert np.isfinite(frame.to_numpy(dtype=float)).all()

    again = normlaw("run", study, cwd=another, uri=mlflow_server.uri)
    assert "0 trained, 8 already there" in again.stdout, again.stderr

    fitted = normlaw("analyse", "tiny", cwd=another, uri=mlflow_server.uri)
    assert fitted.returncode == 0, fitted.stderr
    assert "gamma_1" in fitted.stdout
    assert "gamma_2" in fitted.stdout
    analyses = client.search_runs([experiment.experiment_id], filter_string="tags.`normlaw.kind` = 'analysis'")
    assert len(analyses) == 1
    assert {"gamma_1", "gamma_2", "gamma_pred", "gamma_meas"} <= set(analyses[0].data.metrics)
    listed = {item.path for item in client.list_artifacts(analyses[0].info.run_id)}
    assert any(path.endswith(".json") for path in listed)


def test_bits_are_the_same_again(tiny: dict[str, Any], write_study: WriteStudy, tmp_path: Path) -> None:
    tiny["vary"] = {"train_size": [64], "seed": [0, 1]}
    study = write_study(tiny)
    curves = []
    for name, parallel in (("first", "1"), ("second", "2")):
        folder = tmp_path / name
        folder.mkdir()
        done = normlaw("run", study, "--max-parallel", parallel, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert (folder / "mlflow.db").exists()
        files = sorted((folder / ".normlaw" / "journal" / "tiny").glob("*.jsonl"))
        curves.append({f.name: [_values(line) for line in f.read_text().splitlines()] for f in files})
    assert len(curves[0]) == 2
    assert curves[0] == curves[1]


def _values(line: str) -> Any:
    entry = json.loads(line)
    return entry.get("values") or entry.get("digest")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s["vary"].update(train_size=[5000]), "train_size 5000 is larger than data set 'digits'"),
        (lambda s: s["fixed"].update(dataset="dgits"), "did you mean digits?"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    tiny: dict[str, Any], write_study: WriteStudy, tmp_path: Path, change: Callable[[Any], None], told: str
) -> None:
    change(tiny)
    study = write_study(tiny)
    folder = tmp_path / "empty"
    folder.mkdir()
    done = normlaw("run", study, cwd=folder)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(folder.iterdir()) == []


def test_a_server_that_is_not_there_is_told(
    tiny: dict[str, Any], write_study: WriteStudy, tmp_path: Path
) -> None:
    study = write_study(tiny)
    done = normlaw("run", study, cwd=tmp_path, uri="http://ada:secret@127.0.0.1:9")
    assert done.returncode == 2
    assert "no MLflow server answers at http://ada:***@127.0.0.1:9" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".normlaw").exists()
