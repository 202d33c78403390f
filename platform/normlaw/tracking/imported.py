"""Log curves that were measured elsewhere as runs of kind `imported`."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param
from mlflow.tracking.context.registry import resolve_tags

from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_of
from normlaw.tracking.experiment import opened
from normlaw.tracking.reader import search_runs
from normlaw.tracking.writer import MAX_METRICS


def import_curves(client: MlflowClient, study: str, curves: pd.DataFrame, source: str) -> tuple[int, int]:
    """Log each curve as one finished run of the study's experiment, made on first use.

    A curve that is already there, value for value, is left as it is: importing a file twice changes nothing.

    Args:
        client: of the tracking server.
        study: name of the experiment.
        curves: train_size, seed, step, test/error and log_norm/<measure> columns.
        source: where the curves come from, kept as a parameter.

    Returns:
        How many curves were logged, and how many were already there.

    """
    experiment = _experiment(client, study, curves)
    there = {run.data.tags.get(keys.SPEC_HASH) for run in search_runs(client, experiment, "imported")}
    tags = {**resolve_tags(), keys.KIND: "imported"}
    logged = 0
    groups = [group for _, group in curves.groupby(["train_size", "seed"], sort=True)]
    for curve in groups:
        identity = hashlib.sha256(curve.to_csv(index=False).encode()).hexdigest()[:16]
        if identity not in there:
            _log(client, experiment, curve, source, {**tags, keys.SPEC_HASH: identity})
            logged += 1
    return logged, len(groups) - logged


def _experiment(client: MlflowClient, study: str, curves: pd.DataFrame) -> Experiment:
    prefix = keys.log_norm("")
    first = next(c for c in map(str, curves.columns) if c.startswith(prefix)).removeprefix(prefix)
    tags = {keys.NORM: first, keys.NOTE: "Learning curves measured elsewhere."}
    return opened(client, study, tags)


def _log(
    client: MlflowClient, experiment: Experiment, curve: pd.DataFrame, source: str, tags: dict[str, str]
) -> None:
    now = int(time.time() * 1000)
    size, seed = int(curve["train_size"].iloc[0]), int(curve["seed"].iloc[0])
    name = f"imported P={size} seed={seed}"
    run = client.create_run(experiment.experiment_id, start_time=now, tags=tags, run_name=name)
    params = [Param("train_size", str(size)), Param("seed", str(seed)), Param("source", source)]
    values = [column for column in map(str, curve.columns) if "/" in column]
    metrics = [
        Metric(column, float(value), now, int(step))
        for column in values
        for step, value in zip(curve["step"], curve[column], strict=True)
    ]
    for start in range(0, len(metrics), MAX_METRICS):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + MAX_METRICS])
    client.log_batch(run.info.run_id, params=params)
    with tempfile.TemporaryDirectory() as folder:
        curve.to_parquet(Path(folder, keys.CURVE), index=False)
        artifacts_of(client, run).log_artifacts(folder)  # type: ignore[no-untyped-call]
    client.set_terminated(run.info.run_id)
