"""Write many runs into a store that is a database, in few statements.

By MLflow's client a run costs a dozen transactions and a hundred statements and objects of the ORM. Where its
store is the database itself, the rows of many runs are inserted together, into MLflow's own tables: the same
rows, to the last column. A version of MLflow whose tables have other columns is left to the client.
"""

from __future__ import annotations

import math
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Experiment, LifecycleStage, Metric, Param, RunStatus, RunTag, SourceType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_USER
from mlflow.utils.uri import append_to_uri_path
from mlflow.utils.validation import _validate_batch_log_data

from normlaw.tracking.whole_run import Value, WholeRun

PAIR = {"key", "value", "run_uuid"}
METRIC = {*PAIR, "timestamp", "step", "is_nan"}
RUN = (
    "run_uuid name source_type source_name entry_point_name user_id status start_time end_time deleted_time "
    "source_version lifecycle_stage artifact_uri experiment_id"
)
COLUMNS = {"runs": set(RUN.split()), "tags": PAIR, "params": PAIR, "metrics": METRIC, "latest_metrics": METRIC}
"""What is written to, as this module knows it."""
FOLDER = "artifacts"

Row = dict[str, Any]


class Database:
    """An experiment in a database that the client reaches directly.

    Args:
        store: MLflow's, of the class SqlAlchemyStore.
        client: whose store it is.
        experiment: where runs are written.

    """

    def __init__(self, store: Any, client: MlflowClient, experiment: Experiment) -> None:
        self._store, self._client, self._experiment = store, client, experiment
        self._last_start = 0
        self._known_names: set[str] = set()

    @classmethod
    def of(cls, client: MlflowClient, experiment: Experiment) -> Database | None:
        """Return the database of a client; None for a server, or where the tables are not those known."""
        store = getattr(getattr(client, "_tracking_client", None), "store", None)
        if type(store).__name__ != "SqlAlchemyStore":
            return None
        tables = _tables()
        if {name: set(table.columns.keys()) for name, table in tables.items()} != COLUMNS:
            return None
        return cls(store, client, experiment)

    def fill(self, run_id: str, params: Sequence[Param], metrics: Sequence[Metric]) -> None:
        """Give a run, which has neither parameters nor metrics yet, all of them: by one transaction.

        Raises:
            MlflowException: a name or value is none that MLflow takes, or the database is away.

        """
        named = {metric.key: metric for metric in metrics}
        _, checked, _ = _validate_batch_log_data(list(named.values()), list(params), [])  # type: ignore[no-untyped-call]
        rows: dict[tuple[str, int, int, float], Row] = {
            (metric.key, metric.timestamp, metric.step, metric.value): {
                "run_uuid": run_id,
                "key": metric.key,
                "timestamp": metric.timestamp,
                "step": metric.step,
                "value": metric.value,
                "is_nan": False,
            }
            for metric in metrics
            if math.isfinite(metric.value)
        }
        latest: dict[str, Row] = {}
        for row in rows.values():
            before = latest.get(row["key"])
            if before is None or _moment(row) > _moment(before):
                latest[row["key"]] = row
        own = [{"run_uuid": run_id, "key": param.key, "value": param.value} for param in checked]
        self._execute(
            [("params", own), ("metrics", list(rows.values())), ("latest_metrics", list(latest.values()))]
        )

    def insert(self, runs: Sequence[WholeRun], context: Mapping[str, str]) -> list[str]:
        """Write runs and return their ids. They are begun first and finished last, each time all together.

        Args:
            runs: that are not there.
            context: tags of this process.

        Raises:
            MlflowException: a name or value is none that MLflow takes, or the database is away.

        """
        self._check(runs)
        begun = [self._begin(run, context) for run in runs]
        tags = [
            {"run_uuid": row["run_uuid"], "key": key, "value": value}
            for run, row in zip(runs, begun, strict=True)
            for key, value in {
                **context,
                **run.tags,
                MLFLOW_RUN_NAME: run.name,
                **run.noted(row["run_uuid"]),
            }.items()
        ]
        self._execute([("runs", begun), ("tags", tags)])
        with self._folder() as folder:
            for run, row in zip(runs, begun, strict=True):
                own = Path(folder, row["run_uuid"], FOLDER)
                own.mkdir(parents=True)
                run.write_files(own)
        self._finish(runs, begun)
        return [str(row["run_uuid"]) for row in begun]

    @contextmanager
    def _folder(self) -> Iterator[str]:
        """Give a folder whose content becomes the experiment's artifacts: their own, if they lie on a disk."""
        location = self._experiment.artifact_location
        files = get_artifact_repository(location, tracking_uri=self._client.tracking_uri)
        if isinstance(files, LocalArtifactRepository):
            yield str(files.artifact_dir)
            return
        with tempfile.TemporaryDirectory() as folder:
            yield folder
            files.log_artifacts(folder)  # type: ignore[no-untyped-call]

    def _begin(self, run: WholeRun, context: Mapping[str, str]) -> Row:
        """Return the row of a run that is being written. Runs begin one after the other: readers sort by it."""
        self._last_start = max(int(time.time() * 1000), self._last_start + 1)
        run_id = uuid.uuid4().hex
        return {
            "run_uuid": run_id,
            "name": run.name,
            "source_type": SourceType.to_string(SourceType.UNKNOWN),
            "source_name": "",
            "entry_point_name": "",
            "user_id": context.get(MLFLOW_USER, "unknown"),
            "status": RunStatus.to_string(RunStatus.RUNNING),
            "start_time": self._last_start,
            "end_time": None,
            "deleted_time": None,
            "source_version": "",
            "lifecycle_stage": LifecycleStage.ACTIVE,
            "artifact_uri": append_to_uri_path(  # type: ignore[no-untyped-call]
                self._experiment.artifact_location, run_id, FOLDER
            ),
            "experiment_id": int(self._experiment.experiment_id),
        }

    def _finish(self, runs: Sequence[WholeRun], begun: Sequence[Row]) -> None:
        params: list[Row] = []
        metrics: list[Row] = []
        latest: list[Row] = []
        for run, row in zip(runs, begun, strict=True):
            own = {"run_uuid": row["run_uuid"]}
            params += [{**own, "key": key, "value": value} for key, value in run.params.items()]
            common = {**own, "timestamp": row["start_time"], "is_nan": False}
            # the primary key holds all of these: the same value twice is one row
            for name, step, value in dict.fromkeys(run.finite):
                metrics.append({**common, "key": name, "step": step, "value": value})
            for name, step, value in _latest(run.finite):
                latest.append({**common, "key": name, "step": step, "value": value})
        self._execute([("params", params), ("metrics", metrics), ("latest_metrics", latest)], finished=begun)

    def _execute(self, rows: Sequence[tuple[str, list[Row]]], finished: Sequence[Row] = ()) -> None:
        """Insert rows, and mark runs as finished, in one transaction."""
        from sqlalchemy import bindparam, insert, update

        tables = _tables()
        with self._store.ManagedSessionMaker(read_only=False) as session:
            for name, some in rows:
                if some:
                    session.execute(insert(tables[name]), some)
            if finished:
                done = RunStatus.to_string(RunStatus.FINISHED)
                now = max(int(time.time() * 1000), self._last_start)
                runs = tables["runs"]
                statement = update(runs).where(runs.c.run_uuid == bindparam("which"))
                session.connection().execute(
                    statement.values(status=done, end_time=now),
                    [{"which": row["run_uuid"]} for row in finished],
                )

    def _check(self, runs: Sequence[WholeRun]) -> None:
        """Let MLflow check what it would check in a request; of a metric one value stands for all."""
        for run in runs:
            new = {value[0]: value for value in run.values if value[0] not in self._known_names}
            metrics = [Metric(name, value, 0, step) for name, step, value in new.values()]
            params = [Param(key, value) for key, value in run.params.items()]
            tags = [RunTag(key, value) for key, value in run.tags.items()]
            _validate_batch_log_data(metrics, params, tags)  # type: ignore[no-untyped-call]
            self._known_names |= new.keys()


def _moment(row: Row) -> tuple[int, int, float]:
    """Return what MLflow compares to find a metric's latest value."""
    return row["step"], row["timestamp"], row["value"]


def _latest(values: Sequence[Value]) -> list[Value]:
    """Return the value of each metric at its last step; of several there the largest, as MLflow does."""
    found: dict[str, Value] = {}
    for value in values:
        if value[0] not in found or value[1:] > found[value[0]][1:]:
            found[value[0]] = value
    return list(found.values())


def _tables() -> dict[str, Any]:
    from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag

    models = (SqlRun, SqlTag, SqlParam, SqlMetric, SqlLatestMetric)
    return {model.__tablename__: model.__table__ for model in models}
