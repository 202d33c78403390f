"""At MLflow an observed run looks like any other, and an analysis takes it for one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

import normlaw
from normlaw.tracking import keys
from normlaw_tests.own_loop import Loop, network, observe, seeded


@pytest.fixture
def store(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{tmp_path}/mlflow.db"


def train(store: str, **options: object) -> None:
    with seeded():
        model = network()
        observer = observe(model, Path(".normlaw"), tracking_uri=store, **options)
        Loop(model).run(observer, last=int(str(options.get("steps", 12))))


@pytest.mark.slow
def test_a_run_is_at_mlflow_whole_and_once_also_when_it_is_trained_longer(store: str) -> None:
    train(store, about={"architecture": "small", "batch_size": 128})
    curves = normlaw.curves("own", tracking_uri=store)
    assert curves["step"].tolist() == [0, 1, 2, 3, 4, 7, 12]
    train(store, about={"architecture": "small", "batch_size": 128})  # nothing is new
    train(store, about={"architecture": "small", "batch_size": 128}, steps=20)
    longer = normlaw.curves("own", tracking_uri=store)
    assert longer["step"].tolist() == [0, 1, 2, 3, 4, 7, 12, 20]
    assert longer.iloc[:7].equals(curves)
    runs = normlaw.runs("own", tracking_uri=store)
    assert runs["status"].tolist() == ["FINISHED"]
    assert runs["trainer"].tolist() == ["observed"]
    assert [runs[name].tolist() for name in ("architecture", "batch_size", "train_size")] == [
        ["small"],
        ["128"],
        [64],
    ]
    client = MlflowClient(store)
    (run_id,) = runs["run_id"]
    assert [m.step for m in client.get_metric_history(run_id, "test/error")] == longer["step"].tolist()
    assert client.get_run(run_id).data.tags[keys.KIND] == "training"
    (synced,) = normlaw.sync(home=Path(".normlaw"), tracking_uri=store)
    assert (synced.sent, synced.there, synced.unsent) == ((), 1, {})


def test_what_was_observed_offline_is_sent_later(store: str) -> None:
    with seeded():
        model = network()
        Loop(model).run(observe(model, Path(".normlaw")))
    assert not MlflowClient(store).get_experiment_by_name("own")
    for sent in (1, 0):
        (synced,) = normlaw.sync(home=Path(".normlaw"), tracking_uri=store)
        assert len(synced.sent) == sent, synced
    assert len(normlaw.curves("own", tracking_uri=store)) == 7
    train(store, steps=20)  # goes on where the other one ended, and sends the rest
    assert normlaw.curves("own", tracking_uri=store)["step"].max() == 20


def test_what_was_not_said_is_no_default(store: str) -> None:
    train(store, about={"batch_size": 128})
    train(store)
    assert len(normlaw.runs("own", tracking_uri=store)) == 2
    assert normlaw.curves("own", tracking_uri=store)["run"].nunique() == 2


def test_a_loop_that_is_left_is_killed_at_mlflow_and_gone_on_with(store: str) -> None:
    observer = observe(network(), Path(".normlaw"), tracking_uri=store)
    observer.point(0, test_error=0.5)
    observer._recording._session._sender._due[observer._recording._spec.spec_hash] = 0.0  # shown live, at once
    observer._close()
    train(store)
    runs = normlaw.runs("own", tracking_uri=store)
    assert runs["status"].tolist() == ["FINISHED"]
    assert normlaw.curves("own", tracking_uri=store)["test/error"].iloc[0] == 0.5


@pytest.mark.slow
def test_curves_of_a_loop_are_analysed(store: str, one_figure: None) -> None:
    for train_size in (16, 32, 64):
        for seed in (0, 1):
            model = network(seed)
            observer = observe(model, Path(".normlaw"), tracking_uri=store, train_size=train_size, seed=seed)
            for step in (0, 1, 2, 3, 4, 7, 12):
                observer.point(step, test_error=0.6 / (1 + step) ** 0.5 + 1 / train_size)
                with seeded(seed):
                    Loop(model).step()
    assert len(normlaw.curves("own", tracking_uri=store)) == 42
    (result,) = normlaw.analyse("own", tracking_uri=store, protocol="automatic")
    assert set(result.analysis.curves["train_size"]) == {16, 32, 64}
    assert "gamma_meas" in result.analysis.findings.estimates()
