"""Read curves back from MLflow, knowing nothing but the tracking URI."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.entities import Experiment, Run
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from normlaw.study.names import STUDY_NAME
from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_at
from normlaw.tracking.study_run import StudyRun
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

PAGE = 1000
"""Runs in one answer of a search."""
THREADS = 8


def find_experiment(client: MlflowClient, study: str) -> Experiment:
    """Return a study's experiment.

    Raises:
        InputError: there is none of that name; names the nearest.

    """
    experiment = client.get_experiment_by_name(study) if study.isprintable() else None
    if experiment is None or experiment.lifecycle_stage != "active":
        known = [e.name for e in client.search_experiments()]
        made = f" (`normlaw run {study}` makes it)" if re.fullmatch(STUDY_NAME, study) else ""
        raise InputError(f"no study {brief(study)} at this MLflow server: {suggestion(study, known)}{made}")
    return experiment


def search_runs(client: MlflowClient, experiment: Experiment, kind: str) -> Iterator[Run]:
    """Yield every run of a kind in an experiment, oldest first, page by page."""
    token = None
    while True:
        page = client.search_runs(
            [experiment.experiment_id],
            filter_string=f"tags.`{keys.KIND}` = '{kind}'",
            max_results=PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


@contextmanager
def fetched(client: MlflowClient, artifacts: str, name: str) -> Iterator[Path]:
    """Give the path of one file of a run while the block lasts: its own, if it lies on this machine."""
    there = artifacts_at(client, artifacts)
    if isinstance(there, LocalArtifactRepository):
        yield Path(there.download_artifacts(name))  # type: ignore[no-untyped-call]  # which copies nothing
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, PurePosixPath(name).name)
        # download_artifacts asks first whether it is a folder, and shows a bar where tqdm is installed
        there._download_file(name, str(path))  # type: ignore[no-untyped-call]
        yield path


def read_curve(client: MlflowClient, run: StudyRun) -> pa.Table:
    """Return one finished run's curve: a row a measuring point.

    Columns: run (the specification's hash), train_size, seed, step, epoch, test/error, test/loss,
    train/error, train/loss, and log_norm/<measure> for each measure.
    """
    with fetched(client, run.artifacts, keys.CURVE) as path, pq.ParquetFile(path) as file:
        table = file.read(use_threads=False)  # a tenth of the time that a data frame takes
    table = without_spectra(table)
    return table.append_column("run", pa.array([run.spec_hash] * len(table)))


def without_spectra(table: pa.Table) -> pa.Table:
    """Return a curve's columns of numbers."""
    return table.drop_columns([name for name in table.column_names if name.startswith(keys.SPECTRUM)])


def read_spectra(client: MlflowClient, run: StudyRun) -> pd.DataFrame:
    """Return the singular values that a run measured.

    Returns:
        Columns measure, layer, step, number (from 1, the largest first) and value; no rows where it has none.

    """
    with fetched(client, run.artifacts, keys.CURVE) as path, pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name.startswith(keys.SPECTRUM)]
        table = file.read(columns=["step", *names])
    rows = [
        (*_measure_and_layer(name), step, number, value)
        for name in names
        for step, values in zip(*(table.column(c).to_pylist() for c in ("step", name)), strict=True)
        for number, value in enumerate(values or (), 1)
    ]
    return pd.DataFrame(rows, columns=["measure", "layer", "step", "number", "value"])


def _measure_and_layer(column: str) -> tuple[str, str]:
    measure, _, layer = column.removeprefix(keys.SPECTRUM).partition(".")
    return measure, layer


def read_description(client: MlflowClient, artifacts: str) -> dict[str, Any]:
    """Return what `keys.RUN` says among a run's artifacts: its specification, environment and layers."""
    with fetched(client, artifacts, keys.RUN) as path:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found


def read_layers(client: MlflowClient, run: StudyRun) -> list[dict[str, Any]]:
    """Return what each layer of a run contributed to its measures, at its first and last measuring point."""
    rows: list[dict[str, Any]] = read_description(client, run.artifacts).get("layers", [])
    return rows


def read_curves(
    client: MlflowClient, runs: Sequence[StudyRun], kept: dict[str, pa.Table] | None = None
) -> pd.DataFrame:
    """Return the curves of many runs below each other; columns as `read_curve` has them.

    Args:
        client: of the server.
        runs: finished ones.
        kept: curves that were read before, by their runs' ids; those that are read now are added.

    """
    kept = {} if kept is None else kept
    new = [run for run in runs if run.run_id not in kept]
    with ThreadPoolExecutor(THREADS) as pool:
        kept |= zip((run.run_id for run in new), pool.map(partial(read_curve, client), new), strict=True)
    tables = [kept[run.run_id] for run in runs]
    frame: pd.DataFrame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
    return frame
