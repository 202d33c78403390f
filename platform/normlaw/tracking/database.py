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

from normlaw.tracking.whole_run import WholeRun

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
        values = [(one.key, one.step, one.timestamp, one.value) for one in metrics if math.isfinite(one.value)]
        self._execute(_rows(run_id, {param.key: param.value for param in checked}, values))

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
        self._execute({"runs": begun, "tags": tags})
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
        rows: dict[str, list[Row]] = {}
        for run, row in zip(runs, begun, strict=True):
            values = [(name, step, row["start_time"], value) for name, step, value in run.finite]
            for table, own in _rows(row["run_uuid"], run.params, values).items():
                rows.setdefault(table, []).extend(own)
        self._execute(rows, finished=begun)

    def _execute(self, rows: Mapping[str, list[Row]], finished: Sequence[Row] = ()) -> None:
        """Insert rows, by table, and mark runs as finished, in one transaction."""
        from sqlalchemy import bindparam, insert, update

        tables = _tables()
        with self._store.ManagedSessionMaker(read_only=False) as session:
            for name, some in rows.items():
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


def _rows(
    run_id: str, params: Mapping[str, str], values: Sequence[tuple[str, int, int, float]]
) -> dict[str, list[Row]]:
    """Return the rows of a run's parameters and metrics, by table.

    Args:
        run_id: of the run.
        params: its parameters.
        values: of its metrics: name, step, time in ms, and the number, which is finite.

    """
    latest: dict[str, tuple[str, int, int, float]] = {}
    for value in values:  # at the last step; of several there the latest, then the largest, as MLflow does
        if value[0] not in latest or value[1:] > latest[value[0]][1:]:
            latest[value[0]] = value

    def row(name: str, step: int, timestamp: int, value: float) -> Row:
        own = {"run_uuid": run_id, "key": name, "value": value}
        return {**own, "timestamp": timestamp, "step": step, "is_nan": False}

    return {
        "params": [{"run_uuid": run_id, "key": key, "value": value} for key, value in params.items()],
        # the primary key holds all of these: the same value twice is one row
        "metrics": [row(*value) for value in dict.fromkeys(values)],
        "latest_metrics": [row(*value) for value in latest.values()],
    }


def _tables() -> dict[str, Any]:
    from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag

    models = (SqlRun, SqlTag, SqlParam, SqlMetric, SqlLatestMetric)
    return {model.__tablename__: model.__table__ for model in models}
