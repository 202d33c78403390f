"""A tiny study through everything: trained, sent to a real MLflow server, read back, fitted, reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result
from mlflow import MlflowClient
from mlflow.entities import Run

from normlaw.cli.program import main
from normlaw.launching import launch as launching
from normlaw.study.spec import RunSpec
from normlaw.training.loop import train
from normlaw_registry import Catalogue
from normlaw_tests import figure_files
from normlaw_tests.quick import QUICK

WriteStudy = Callable[[dict[str, Any]], Path]


@pytest.mark.slow
def test_from_yaml_to_laws_on_a_server(
    mlflow_server: Any,
    nursery: Any,
    tiny: dict[str, Any],
    write_study: WriteStudy,
    tmp_path: Path,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = write_study(tiny)
    machine, another = tmp_path / "machine", tmp_path / "another"
    machine.mkdir()
    another.mkdir()

    before = len(mlflow_server.requests())
    done = nursery.done(machine, "run", study, env={"MLFLOW_TRACKING_URI": mlflow_server.uri})
    assert done.returncode == 0, done.stderr
    assert "8 trained, 0 already there, 0 failed" in done.stdout
    requests = mlflow_server.requests()[before:]
    per_launch = 4 + 4  # the probe, the experiment by name, its creation and reading; the launch's own run
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
    assert described(client, run)["environment"]["packages"]["torch"]
    assert described(client, run)["memory_format"] == {"used": "channels_last", "reason": ""}
    assert run.data.tags["normlaw.memory_format"] == "channels_last"

    history = client.get_metric_history(run.info.run_id, "test/error")
    frame = curve(client, run)
    assert frame["step"].tolist() == [metric.step for metric in history]
    assert frame["test/error"].tolist() == [metric.value for metric in history]
    assert frame["step"].iloc[[0, -1]].tolist() == [0, 60]
    assert np.isfinite(frame.to_numpy(dtype=float)).all()

    with monkeypatch.context() as here:
        here.chdir(machine)
        here.setattr(launching, "make_ready", pytest.fail)  # which takes seconds
        again = invoke("run", str(study), "--tracking-uri", mlflow_server.uri)
    assert "0 trained, 8 already there" in again.output
    launches = client.search_runs([experiment.experiment_id], filter_string="tags.`normlaw.kind` = 'launch'")
    assert len(launches) == 1, "nothing to do is no launch"

    for run in runs:  # another process, another machine as far as MLflow knows: the same bits
        spec = RunSpec.model_validate(described(client, run)["spec"])
        torch.set_num_threads(1)
        points = train(spec, catalogue)
        assert [point["test/loss"] for point in points] == curve(client, run)["test/loss"].tolist()

    fitted = nursery.done(
        *(another, "analyse", "tiny", *QUICK),
        env={"MLFLOW_TRACKING_URI": mlflow_server.uri},
        settings=figure_files.ONE_FIGURE,
    )
    assert fitted.returncode == 0, fitted.stderr
    assert "gamma_1" in fitted.stdout
    assert "gamma_2" in fitted.stdout
    analyses = client.search_runs([experiment.experiment_id], filter_string="tags.`normlaw.kind` = 'analysis'")
    assert len(analyses) == 1
    assert {"gamma_1", "gamma_2", "gamma_pred", "gamma_meas"} <= set(analyses[0].data.metrics)
    listed = {item.path for item in client.list_artifacts(analyses[0].info.run_id)}
    assert any(path.endswith(".json") for path in listed)


def described(client: MlflowClient, run: Run) -> Any:
    return json.loads(Path(client.download_artifacts(run.info.run_id, "run.json")).read_text())


def curve(client: MlflowClient, run: Run) -> pd.DataFrame:
    return pd.read_parquet(client.download_artifacts(run.info.run_id, "curve.parquet"))


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the working folder, with nothing configured."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder


def invoke(*arguments: str) -> Result:
    """Run the command line in this process; whatever it does not expect fails the test."""
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s["vary"].update(train_size=[5000]), "train_size 5000 is larger than data set 'digits'"),
        (lambda s: s["fixed"].update(dataset="dgits"), "did you mean digits?"),
        (lambda s: s["fixed"]["architecture"]["params"].update(channels=[4] * 12), "cnn"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    tiny: dict[str, Any],
    write_study: WriteStudy,
    empty_folder: Path,
    change: Callable[[Any], None],
    told: str,
) -> None:
    change(tiny)
    done = invoke("run", str(write_study(tiny)))
    assert done.exit_code == 2
    assert told in done.stderr
    assert list(empty_folder.iterdir()) == []


@pytest.mark.parametrize("verb", ["run", "analyse"])
@pytest.mark.slow
def test_a_server_that_is_not_there_is_told(
    tiny: dict[str, Any], write_study: WriteStudy, empty_folder: Path, verb: str
) -> None:
    study = str(write_study(tiny)) if verb == "run" else "tiny"
    done = invoke(verb, study, "--tracking-uri", "http://ada:secret@127.0.0.1:9")
    assert done.exit_code == 2
    assert "no MLflow server answers at http://ada:***@127.0.0.1:9" in done.stderr
    assert "secret" not in done.output
    assert list(empty_folder.iterdir()) == []


@pytest.mark.slow
def test_a_study_that_was_never_run_is_told(mlflow_server: Any) -> None:
    done = invoke("analyse", "quickstart", "--tracking-uri", mlflow_server.uri)
    assert done.exit_code == 2
    assert "no study 'quickstart' at this MLflow server" in done.stderr
