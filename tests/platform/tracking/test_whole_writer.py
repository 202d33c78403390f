"""Runs that are known whole are there whole or do not count, by whichever way they were written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from normlaw.tracking import database, keys
from normlaw.tracking.analysis_log import LoggedAnalysis, log_analysis
from normlaw.tracking.client import connect
from normlaw.tracking.imported import import_curves
from normlaw.tracking.reader import read_curves, search_runs
from normlaw.tracking.store import StudyStore

CALLS = ("create_run", "log_batch", "set_terminated")


def curves(runs: int = 4, points: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = runs * points
    return pd.DataFrame(
        {
            "train_size": np.repeat(100 * (1 + np.arange(runs) // 2), points),
            "seed": np.repeat(np.arange(runs) % 2, points),
            "step": np.tile(np.arange(points), runs),
            "log_norm/b": rng.normal(size=rows),
            "log_norm/a": np.where(np.arange(rows) % points == 0, np.nan, rng.normal(size=rows)),
            "test/error": rng.uniform(size=rows),
        }
    )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], MlflowClient]:
    """Return a function that makes a store of its own; the tables are made once."""
    connect(f"sqlite:///{tmp_path}/empty.db")

    def make(name: str) -> MlflowClient:
        (tmp_path / name).mkdir()
        (tmp_path / name / "mlflow.db").write_bytes((tmp_path / "empty.db").read_bytes())
        monkeypatch.chdir(tmp_path / name)
        return connect(f"sqlite:///{tmp_path}/{name}/mlflow.db")

    return make


@pytest.fixture
def by_requests(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function after which runs are written as at a server."""
    return lambda: monkeypatch.setattr(database.Database, "of", lambda client, experiment: None)


def content(client: MlflowClient) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of a store that runs leave, with runs by their name, without times; and the files."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with closing(sqlite3.connect(client.tracking_uri.removeprefix("sqlite:///"))) as base:
        columns = "name, end_time IS NULL, source_type, entry_point_name, user_id, status, lifecycle_stage"
        runs = base.execute(f"SELECT run_uuid, artifact_uri, {columns} FROM runs").fetchall()
        names = {run[0]: run[2] for run in runs}
        found["runs"] = [run[2:] for run in runs]
        for table, chosen in {
            "tags": "run_uuid, key, value",
            "params": "run_uuid, key, value",
            "metrics": "run_uuid, key, step, value, is_nan",
            "latest_metrics": "run_uuid, key, step, value, is_nan",
        }.items():
            rows = base.execute(f"SELECT {chosen} FROM {table}")
            found[table] = [(names[row[0]], *row[1:]) for row in rows]
        moments = "SELECT count(*) FROM metrics JOIN runs USING (run_uuid) WHERE timestamp != start_time"
        found["other times"] = base.execute(moments).fetchall()
        found["files"] = [
            (names[run[0]], path.name, path.read_bytes())
            for run in runs
            for path in Path(run[1]).rglob("*")
            if path.is_file()
        ]
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


def count_runs(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of every run that the client is asked to make."""
    made: list[str] = []
    original = client.create_run

    def create(*arguments: Any, **options: Any) -> Any:
        made.append(options["run_name"])
        return original(*arguments, **options)

    monkeypatch.setattr(client, "create_run", create)
    return made


@pytest.mark.slow
def test_the_database_is_given_the_rows_and_files_that_requests_give_it(
    store: Any, by_requests: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct, asked = store("direct"), store("asked")
    by_the_database, made = count_runs(direct, monkeypatch), count_runs(asked, monkeypatch)
    assert import_curves(direct, "s", curves(), "file.csv") == (4, 0)
    assert by_the_database == []  # not by requests
    by_requests()
    assert import_curves(asked, "s", curves(), "file.csv") == (4, 0)
    assert len(made) == 4
    assert content(direct) == content(asked)
    # a measure begins one point later: no NaN is sent; and train_size
    assert len(content(direct)["metrics"]) == 4 * (3 * 5 - 1 + 1)
    sizes = [row for row in content(direct)["metrics"] if row[1] == "train_size"]
    assert [row[2:4] for row in sizes] == [(0, 100.0), (0, 100.0), (0, 200.0), (0, 200.0)]
    assert content(direct)["other times"] == [(0,)]
    frame = curves().query("train_size == 200 and seed == 1")
    frame.to_parquet("expected.parquet", index=False)
    files = {(name, file): data for name, file, data in content(direct)["files"]}
    assert files["imported P=200 seed=1", keys.CURVE] == Path("expected.parquet").read_bytes()


@pytest.mark.slow
def test_runs_are_read_in_the_order_in_which_they_were_written(store: Any) -> None:
    client = store("one")
    import_curves(client, "s", curves(30), "file.csv")
    experiment = client.get_experiment_by_name("s")
    sizes = [int(run.data.params["train_size"]) for run in search_runs(client, experiment, "imported")]
    assert sizes == sorted(sizes)
    assert len(sizes) == 30


@pytest.mark.slow
def test_tables_of_another_mlflow_are_left_to_its_client(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(database.COLUMNS, "runs", database.COLUMNS["runs"] - {"source_version"})
    client = store("one")
    made = count_runs(client, monkeypatch)
    assert import_curves(client, "s", curves(), "file.csv") == (4, 0)
    assert len(made) == 4


@pytest.mark.slow
def test_a_name_that_mlflow_refuses_is_refused_before_anything_is_written(store: Any) -> None:
    from mlflow.exceptions import MlflowException

    client = store("one")
    with pytest.raises(MlflowException, match="Names may only contain"):
        import_curves(client, "s", curves().rename(columns={"log_norm/a": "log_norm/a?"}), "file.csv")
    assert content(client)["runs"] == []


class Killed(BaseException):
    """What stands for a kill."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.slow
def test_requests_cut_anywhere_are_completed_by_the_next_import(
    store: Any, by_requests: Any, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_requests()
    undisturbed = store("undisturbed")
    import_curves(undisturbed, "s", curves(), "file.csv")
    client = store("killed")
    left = [0]

    def deadly(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if left[0] == 0 and not after:
                raise Killed
            answer = original(*arguments, **options)
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return answer

        return call

    for name in CALLS:
        monkeypatch.setattr(client, name, deadly(getattr(client, name)))
    monkeypatch.setattr(LocalArtifactRepository, "log_artifacts", deadly(LocalArtifactRepository.log_artifacts))
    kills = 0
    while True:
        left[0] = kills % 5  # each import comes a little further than the one before, or not so far
        try:
            import_curves(client, "s", curves(), "file.csv")
        except Killed:
            kills += 1
            assert kills < 60
        else:
            break
    assert kills >= 8
    assert content(client) == content(undisturbed)


def begun(client: MlflowClient, identity: str, value: float, source: str = "file.csv") -> str:
    """Leave a run as the version before left one when it was killed."""
    experiment = client.get_experiment_by_name("s")
    tags = {keys.KIND: "imported", keys.SPEC_HASH: identity}
    run = client.create_run(
        experiment.experiment_id, start_time=1000, tags=tags, run_name="imported P=100 seed=0"
    )
    client.log_batch(
        run.info.run_id, metrics=[Metric("test/error", value, 1000, 0)], params=[Param("source", source)]
    )
    return str(run.info.run_id)


@pytest.mark.parametrize(
    ("source", "added", "status"),
    [("file.csv", 0, "FINISHED"), ("file.csv", 1, "KILLED"), ("other.csv", 0, "KILLED")],
)
@pytest.mark.slow
def test_what_an_earlier_version_left_is_finished_or_given_up(
    store: Any, source: str, added: float, status: str
) -> None:
    client = store("one")
    import_curves(client, "s", curves(4), "file.csv")
    experiment = client.get_experiment_by_name("s")
    first = next(iter(search_runs(client, experiment, "imported")))
    client.delete_run(first.info.run_id)
    identity, value = first.data.tags[keys.SPEC_HASH], float(curves()["test/error"][0])
    run_id = begun(client, identity, value + added, source)
    assert import_curves(client, "s", curves(), "file.csv") == (1, 3)
    assert client.get_run(run_id).info.status == status
    finished = StudyStore(client, experiment).finished("imported")
    assert len({r.spec_hash for r in finished}) == len(finished) == 4
    assert len(read_curves(client, finished)) == len(curves())
    assert import_curves(client, "s", curves(), "file.csv") == (0, 4)


@pytest.mark.parametrize("way", ["database", "requests"])
@pytest.mark.slow
def test_an_analysis_that_finds_the_same_is_logged_once(
    store: Any, by_requests: Any, tmp_path: Path, way: str
) -> None:
    if way == "requests":
        by_requests()
    client = store("one")
    experiment = client.get_experiment(client.create_experiment("s"))
    (tmp_path / "report" / "figures").mkdir(parents=True)
    (tmp_path / "report" / "results.json").write_text("{}")
    (tmp_path / "report" / "figures" / "a.svg").write_text("<svg/>")

    def log(gamma: float, name: str = "laws of s") -> str:
        analysis = LoggedAnalysis(
            name=name,
            metrics={"gamma_1": gamma, "gamma_2": float("nan")},
            params={"norm": "weight_norm"},
            folder=tmp_path / "report",
            setting="all",
            note=["The laws."],
            figures={"a": "What to see"},
        )
        return log_analysis(client, experiment, analysis)

    first = log(0.5)
    assert log(0.5) == first
    other = log(0.6)
    assert other != first
    latest = log(0.5)
    assert latest not in (first, other)  # the latest is what a report shows
    run = client.get_run(latest)
    assert run.data.metrics == {"gamma_1": 0.5}
    assert f"run_uuid={latest}" in run.data.tags[keys.NOTE]
    assert run.data.tags[keys.NORM] == "weight_norm"
    assert {file.path for file in client.list_artifacts(latest)} == {"figures", "results.json"}
    client.update_run(latest, status="RUNNING")  # as a kill leaves it
    stale = client.create_run(experiment.experiment_id, tags={keys.KIND: "analysis"}, run_name="laws of s")
    assert log(0.5) == latest
    assert client.get_run(latest).info.status == "FINISHED"
    assert client.get_run(stale.info.run_id).info.status == "KILLED"
    assert log(0.5, name="laws of a part") not in (first, other, latest)
    (tmp_path / "report" / "results.json").write_text('{"more": 1}')
    assert log(0.5) != latest


@pytest.mark.slow
def test_a_repeated_analysis_takes_the_place_of_the_earlier_one(store: Any, tmp_path: Path) -> None:
    client = store("one")
    experiment = client.get_experiment(client.create_experiment("s"))
    (tmp_path / "report").mkdir()

    def log(name: str, gamma: float, setting: str | None = "all", command: str = "normlaw analyse s") -> str:
        metrics = {"gamma_1": gamma}
        analysis = LoggedAnalysis(
            name=name, metrics=metrics, params={}, folder=tmp_path / "report", setting=setting, command=command
        )
        return log_analysis(client, experiment, analysis)

    def shown() -> set[str]:
        return {run.info.run_id for run in client.search_runs([experiment.experiment_id])}

    of_before = log("laws of s", 0.1, command="")  # as a version before left it
    not_fitted = log("laws of s: not fitted", 0.0, setting=None)
    first = log("laws of s", 0.5)
    assert shown() == {of_before, first}
    assert client.get_run(not_fitted).info.lifecycle_stage == "deleted"
    in_another_norm = log("laws of s in weight_norm", 0.7)
    again = log("laws of s", 0.5)  # found the same, and is to be the latest
    assert shown() == {of_before, in_another_norm, again}
    assert client.get_run(first).data.tags[keys.CLEANED].endswith(f"as {again}")
    assert log("laws of s", 0.5) == again
    assert log("laws of s: not fitted", 0.0, setting=None) in shown()
    assert again in shown()  # what was fitted stays
    client.restore_run(first)
    assert log("laws of s", 0.5) in shown()  # a kill came before an earlier one was deleted
    assert first not in shown()
