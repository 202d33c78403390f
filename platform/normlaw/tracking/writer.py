"""Send finished journals to MLflow: few requests a run, and sent twice they change nothing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Experiment, InputTag, Metric, Param, Run
from mlflow.tracking.context.registry import resolve_tags

from normlaw.spec import RunSpec, searchable
from normlaw.study import Study
from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_of
from normlaw.tracking.journal import Record

MAX_METRICS, MAX_PARAMS = 1000, 100
"""What MLflow takes in one request."""
MAX_PARAM_LENGTH = 6000
"""Longest value of a parameter that MLflow takes."""


def open_experiment(client: MlflowClient, study: Study) -> Experiment:
    """Return the study's experiment, made on first use, with its description and norm."""
    experiment = client.get_experiment_by_name(study.name)
    tags = {keys.NOTE: study.description, keys.NORM: study.abscissa}
    if experiment is None:
        return client.get_experiment(client.create_experiment(study.name, tags=tags))
    for key, value in tags.items():
        if experiment.tags.get(key) != value:
            client.set_experiment_tag(experiment.experiment_id, key, value)
    return experiment


class RunWriter:
    """Writes training runs into one experiment."""

    def __init__(self, client: MlflowClient, experiment: Experiment, abscissa: str) -> None:
        self._client = client
        self._experiment = experiment
        self._abscissa = abscissa
        self._context_tags: dict[str, str] = resolve_tags()

    def write(self, record: Record, begun: Run | None = None) -> str:
        """Send one journal that has come to its end; return the id of its MLflow run.

        Six requests: the run, its values, its data set, two artifacts, its end.

        Args:
            record: the journal.
            begun: a run of the same specification that an interrupted sending left behind; it is completed.

        Raises:
            MlflowException: the server did not take it; sending again is safe.

        """
        spec = RunSpec.model_validate(record.spec)
        run = begun or self._client.create_run(
            self._experiment.experiment_id,
            start_time=record.started,
            tags=self._tags(spec, record),
            run_name=spec.run_name,
        )
        run_id: str = run.info.run_id
        params = [Param(key, str(value)[:MAX_PARAM_LENGTH]) for key, value in searchable(spec).items()]
        for metrics, some_params in batches(list(self._metrics(record)), params):
            self._client.log_batch(run_id, metrics=metrics, params=some_params)
        self._client.log_inputs(run_id, datasets=[_dataset_input(spec, record)] if record.data else [])
        self._log_files(run, record, spec)
        status = "FINISHED" if record.status == "finished" else "FAILED"
        self._client.set_terminated(run_id, status, end_time=record.ended)
        return run_id

    def _tags(self, spec: RunSpec, record: Record) -> dict[str, str]:
        plugins = record.environment.get("plugins", {})
        tags = {
            **self._context_tags,
            keys.KIND: "training",
            keys.SPEC_HASH: spec.spec_hash,
            keys.PLUGINS: ", ".join(f"{name} {version}" for name, version in plugins.items()),
        }
        if record.reason:
            tags[keys.FAILURE] = record.reason[:5000]
        return tags

    def _metrics(self, record: Record) -> Iterator[Metric]:
        for values, when in zip(record.points, record.point_times, strict=True):
            step = int(values["step"])
            yield from (Metric(key, value, when, step) for key, value in values.items() if key != "step")
        abscissa = keys.log_norm(self._abscissa)
        if points := [values for values in record.points if abscissa in values]:
            best = min(points, key=lambda v: v.get("validation/error", v["test/error"]))
            last = int(record.points[-1]["step"])
            yield Metric("optimum/test_error", best["test/error"], record.ended, last)
            yield Metric("optimum/log_norm", best[abscissa], record.ended, last)

    def _log_files(self, run: Run, record: Record, spec: RunSpec) -> None:
        with tempfile.TemporaryDirectory() as folder:
            curve(record, spec).to_parquet(Path(folder, keys.CURVE), index=False)
            description = {
                "spec_hash": spec.spec_hash,
                "spec": record.spec,
                "environment": record.environment,
                "layers": record.layers,
            }
            Path(folder, keys.RUN).write_text(json.dumps(description, indent=2), encoding="utf-8")
            artifacts_of(self._client, run).log_artifacts(folder)  # type: ignore[no-untyped-call]


def curve(record: Record, spec: RunSpec) -> pd.DataFrame:
    """Return a journal's curve: a row a measuring point, with train_size and seed beside the metrics."""
    frame = pd.DataFrame(record.points)
    frame["step"] = frame["step"].astype("int64")
    return frame.assign(train_size=spec.train_size, seed=spec.seed)


def batches(metrics: list[Metric], params: list[Param]) -> Iterator[tuple[list[Metric], list[Param]]]:
    """Yield what goes into each request: as few requests as MLflow's limits allow."""
    while metrics or params:
        room = MAX_METRICS - min(len(params), MAX_PARAMS)
        yield metrics[:room], params[:MAX_PARAMS]
        metrics, params = metrics[room:], params[MAX_PARAMS:]


def _dataset_input(spec: RunSpec, record: Record) -> DatasetInput:
    data = record.data
    dataset = Dataset(
        name=f"{data['name']} P={data['train_size']}",
        digest=data["digest"],
        source_type="normlaw",
        source=json.dumps(spec.dataset.model_dump(mode="json"), sort_keys=True),
        profile=json.dumps({"train_size": data["train_size"], "test_size": data["test_size"]}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
