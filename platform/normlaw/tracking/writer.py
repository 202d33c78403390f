"""Write training runs to MLflow: few requests a run, and nothing that is there already is written again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Experiment, InputTag, Metric, Param, Run
from mlflow.tracking.context.registry import resolve_tags

from normlaw.base.redaction import redacted, redacted_tree
from normlaw.study.expansion import expand
from normlaw.study.identity import measured_by
from normlaw.study.known_floor import OF_THE_DATASET, known_floor
from normlaw.study.listed import listing, settled
from normlaw.study.observed import AnySpec, ObservedSpec
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking import keys, note, optimum
from normlaw.tracking.client import artifacts_at
from normlaw.tracking.database import Database
from normlaw.tracking.experiment import opened
from normlaw.tracking.launches import Launches
from normlaw.tracking.record import Record
from normlaw.tracking.sizes import TRAIN_SIZE, sizes
from normlaw.tracking.view import VIEW, saved_view
from normlaw_registry import load_catalogue

MAX_METRICS, MAX_PARAMS = 1000, 100
"""What MLflow takes in one request."""
MAX_TAG_LENGTH, MAX_NAME_LENGTH = 5000, 250
"""Longest tag that MLflow takes, and the longest name of a run."""

PROFILE = ("train_size", "test_size", "unit", "fingerprint")
"""What MLflow shows of a run's data."""

Values = dict[tuple[int, str], float]
"""A run's metrics: (step, name) -> value."""


def open_experiment(client: MlflowClient, study: Study) -> Experiment:
    """Return the study's experiment, made on first use, with its description and norm.

    One that is there is left as it is where the study is an observed one, which says nothing of itself.

    Raises:
        InputError: the experiment was deleted at the server.

    """
    chosen = {keys.NORM: study.abscissa}
    if study.analysis is not None:
        chosen[keys.ANALYSIS] = keys.analysis_tag(study.analysis.own(_known_floor(study)))
    experiment = opened(client, study.name, {**chosen, **note.first(study.description)})
    if study.observed:
        return experiment
    note.describe(client, experiment, study.description)
    if VIEW not in experiment.tags or experiment.tags.get(keys.NORM) != study.abscissa:
        chosen |= saved_view(study.abscissa)
    for key, value in chosen.items():
        if experiment.tags.get(key) != value:
            client.set_experiment_tag(experiment.experiment_id, key, value)
    if keys.ANALYSIS not in chosen and keys.ANALYSIS in experiment.tags:
        client.delete_experiment_tag(experiment.experiment_id, keys.ANALYSIS)
    return experiment


def _known_floor(study: Study) -> float | None:
    """Return the floor that the study's data set gives, where the study takes that one."""
    if study.analysis is None or study.analysis.floor != OF_THE_DATASET:
        return None
    catalogue = load_catalogue()
    return known_floor(expand(study, catalogue), catalogue)


class RunWriter:
    """Writes training runs into one experiment.

    What each method writes is the same when it is called again, so that a call whose answer was lost can be
    repeated; `begin` alone makes a run anew each time.

    Args:
        client: of the tracking server.
        experiment: the study's.
        study: the study.
        launches: the study's launches, which runs name in a tag.
        mixed: whether an earlier version has sent runs of the study, which go by other hashes.

    """

    def __init__(
        self,
        client: MlflowClient,
        experiment: Experiment,
        study: Study,
        launches: Launches | None = None,
        *,
        mixed: bool = False,
    ) -> None:
        self._mixed = mixed
        self._client = client
        self._experiment = experiment
        self._study = study
        self._launches = launches
        self._database = Database.of(client, experiment)
        self._context_tags: dict[str, str] = resolve_tags()

    def find(self, spec_hash: str) -> list[Run]:
        """Return the training runs of a specification, oldest first."""
        wanted = f"tags.`{keys.KIND}` = 'training' and tags.`{keys.SPEC_HASH}` = '{spec_hash}'"
        page = self._client.search_runs(
            [self._experiment.experiment_id], filter_string=wanted, order_by=["attributes.start_time ASC"]
        )
        return list(page)

    def earlier(self, spec: AnySpec) -> list[Run]:
        """Return the runs, of this hash or of an earlier version's, that were trained alike."""
        if not self._mixed:
            return []
        wanted = f"tags.`{keys.KIND}` = 'training' and params.train_size = '{spec.train_size}'"
        page = self._client.search_runs(
            [self._experiment.experiment_id], filter_string=f"{wanted} and params.seed = '{spec.seed}'"
        )
        this = settled(listing(spec))
        return [run for run in page if settled(run.data.params) == this]

    def begin(self, record: Record, spec: AnySpec) -> Run:
        """Make the run of a journal."""
        plugins = record.environment.get("plugins")
        tags = {
            **self._context_tags,
            keys.KIND: "training",
            keys.SPEC_HASH: record.spec_hash,
            keys.SCHEMA: str(record.schema),
            keys.MEASURES: json.dumps(measured_by(spec), sort_keys=True),
        }
        if isinstance(plugins, dict):
            tags[keys.PLUGINS] = keys.plugins_tag(plugins)
        if isinstance(commit := record.environment.get("git_commit"), str):
            tags[keys.COMMIT] = commit
        if record.memory_format:
            tags[keys.MEMORY_FORMAT] = record.memory_format["used"]
        tags |= record.data_tags
        if record.status is not None and record.inexact is not None:
            tags[keys.EXACTNESS] = _exactness(record, spec)
        if isinstance(spec, RunSpec) and (trunk := spec.trunk) is not None:
            tags |= {keys.ARM: spec.arm, keys.TRUNK: trunk.spec_hash}
        if record.reason:
            tags[keys.FAILURE] = record.reason
        launch = record.environment.get("launch")
        if isinstance(launch, str) and self._launches and self._launches.run_of(launch) is not None:
            tags[keys.LAUNCH] = launch  # not nested: MLflow's charts leave out what is folded away
        return self._client.create_run(
            self._experiment.experiment_id,
            start_time=record.started,
            tags={key: redacted(value)[:MAX_TAG_LENGTH] for key, value in tags.items()},
            run_name=redacted(self._study.run_name(spec))[:MAX_NAME_LENGTH],
        )

    def values(self, run: Run) -> Values:
        """Return the measurements that the server has of a run: a request for each metric."""
        return {
            (metric.step, name): metric.value
            for name in run.data.metrics
            if not name.startswith(optimum.PREFIX) and name != TRAIN_SIZE and name not in run.data.params
            for metric in self._client.get_metric_history(run.info.run_id, name)
        }

    def add(self, run: Run, spec: AnySpec | None, metrics: list[Metric]) -> None:
        """Add measurements to a run, and parameters with their sizes where a specification is given.

        A run that has nothing yet gets all at once where the store is a database: by requests, most of the
        time that a run takes to be sent goes here.
        """
        values = listing(spec) if spec is not None else {}
        varied = values if isinstance(spec, ObservedSpec) else self._study.varied
        numbers = sizes(values, varied)
        metrics = [*(Metric(name, x, run.info.start_time, 0) for name, x in numbers.items()), *metrics]
        there = run.data.params  # a parameter cannot be written over
        params = [Param(key, value) for key, value in values.items() if key not in there]
        if self._database is not None and spec is not None and not there and not run.data.metrics:
            self._database.fill(run.info.run_id, params, metrics)
            return
        for some_metrics, some_params in batches(metrics, params):
            self._client.log_batch(run.info.run_id, metrics=some_metrics, params=some_params)

    def end(self, run: Run, record: Record, spec: AnySpec) -> None:
        """Add the data set and the files to a run whose journal has come to its end, and end it."""
        if record.data and isinstance(spec, RunSpec):  # nobody tells what another loop trains on
            self._client.log_inputs(run.info.run_id, datasets=[_dataset_input(spec, record)])
        self._log_files(run, record, spec)
        if record.reason and keys.FAILURE not in run.data.tags:
            self.tag(run, keys.FAILURE, record.reason)
        used = record.memory_format.get("used")
        if used is not None and run.data.tags.get(keys.MEMORY_FORMAT) != used:
            self.tag(run, keys.MEMORY_FORMAT, used)
        if record.inexact is not None and run.data.tags.get(keys.EXACTNESS) != _exactness(record, spec):
            self.tag(run, keys.EXACTNESS, _exactness(record, spec))
        for key, told in record.data_tags.items():
            if run.data.tags.get(key) != told:
                self.tag(run, key, told)
        status = "FINISHED" if record.status == "finished" else "FAILED"
        self._client.set_terminated(run.info.run_id, status, end_time=record.ended)

    def kill(self, run: Run, when: int | None, superseded: str | None = None) -> None:
        """Mark a run that nobody goes on with as killed; `superseded` says why nobody ever will."""
        if superseded is not None:
            self.tag(run, keys.SUPERSEDED, superseded)
        self._client.set_terminated(run.info.run_id, "KILLED", end_time=when)

    def reopen(self, run: Run) -> None:
        """Mark a killed run as running again."""
        self._client.update_run(run.info.run_id, status="RUNNING")

    def tag(self, run: Run, key: str, value: str) -> None:
        """Set a tag of a run."""
        self._client.set_tag(run.info.run_id, key, redacted(value)[:MAX_TAG_LENGTH])

    def optimum(self, record: Record) -> list[Metric]:
        """Return a curve's optimum in the study's norm: its error, where it is, and whether it is bracketed."""
        from normlaw_registry.curves import run_optimum

        abscissa = keys.log_norm(self._study.abscissa)
        points = [values for values in record.points if abscissa in values and "test/error" in values]
        validated = all("validation/error" in values for values in points)
        found = run_optimum(
            [values[abscissa] for values in points],
            [values["test/error"] for values in points],
            [values["validation/error"] for values in points] if validated else None,
        )
        if found is None:
            return []
        last = int(record.points[-1]["step"])
        return optimum.optimum_metrics(found.log_norm, found.log_error, found.bracketed, record.ended, last)

    def _log_files(self, run: Run, record: Record, spec: AnySpec) -> None:
        with tempfile.TemporaryDirectory() as folder:
            if record.points:
                curve(record, spec).to_parquet(Path(folder, keys.CURVE), index=False)
            description = {
                "schema": record.schema,
                "spec_hash": record.spec_hash,
                "identity": record.identity,
                "spec": record.spec,
                "environment": record.environment,
                "memory_format": record.memory_format,
                "inexact": record.inexact,
                "layers": record.layers,
            }
            text = json.dumps(redacted_tree(description), indent=2)
            Path(folder, keys.RUN).write_text(text, encoding="utf-8")
            if record.traceback:
                Path(folder, keys.TRACEBACK).write_text(redacted(record.traceback), encoding="utf-8")
            artifacts_at(self._client, run.info.artifact_uri).log_artifacts(folder)  # type: ignore[no-untyped-call]


def points(record: Record) -> Values:
    """Return a journal's measurements as the metrics of a run."""
    return {
        (int(values["step"]), name): value
        for values in record.points
        for name, value in values.items()
        if name != "step"
    }


def metrics_without(record: Record, there: Values) -> list[Metric]:
    """Return a journal's measurements that the server does not have."""
    return [
        Metric(name, value, when, int(values["step"]))
        for values, when in zip(record.points, record.point_times, strict=True)
        for name, value in values.items()
        if name != "step" and (int(values["step"]), name) not in there
    ]


def curve(record: Record, spec: AnySpec) -> pd.DataFrame:
    """Return a journal's curve: a row a measuring point, with train_size and seed beside the metrics.

    Spectra are lists, in columns `spectrum/<measure>.<layer>`.
    """
    frame = pd.DataFrame(record.points)
    frame["step"] = frame["step"].astype("int64")
    for name in dict.fromkeys(name for values in record.spectra.values() for name in values):
        lists = [record.spectra.get(step, {}).get(name) for step in frame["step"]]
        frame[f"{keys.SPECTRUM}{name}"] = pd.Series(lists, index=frame.index, dtype=object)
    return frame.assign(train_size=spec.train_size, seed=spec.seed)


def batches(metrics: Iterable[Metric], params: Iterable[Param]) -> Iterator[tuple[list[Metric], list[Param]]]:
    """Yield what goes into each request: as few requests as MLflow's limits allow."""
    metrics, params = list(metrics), list(params)
    while metrics or params:
        room = MAX_METRICS - min(len(params), MAX_PARAMS)
        yield metrics[:room], params[:MAX_PARAMS]
        metrics, params = metrics[room:], params[MAX_PARAMS:]


def _exactness(record: Record, spec: AnySpec) -> str:
    """Return the value of `keys.EXACTNESS`."""
    return json.dumps({measure.name: record.weakest(measure.name) for measure in spec.measures}, sort_keys=True)


def _dataset_input(spec: RunSpec, record: Record) -> DatasetInput:
    data = record.data
    dataset = Dataset(
        name=f"{data['name']} P={data['train_size']}",
        digest=data["digest"],
        source_type="normlaw",
        source=json.dumps(redacted_tree(spec.dataset.model_dump(mode="json")), sort_keys=True),
        profile=json.dumps({key: data[key] for key in PROFILE if data.get(key, "") != ""}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
