"""Copy a study's runs into another store: curves, parameters, tags and specifications, and nothing twice."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Hashable
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.study.listed import settled
from normlaw.tracking import keys, note
from normlaw.tracking.experiment import opened
from normlaw.tracking.optimum import PREFIX as OPTIMUM
from normlaw.tracking.origin import KINDS, Fetched, Origin
from normlaw.tracking.reader import search_runs
from normlaw.tracking.study_run import Kind, StudyRun
from normlaw.tracking.whole_run import Value, WholeRun
from normlaw.tracking.whole_writer import WholeRunWriter


def copy_study(client: MlflowClient, study: str, origin: Origin) -> tuple[int, int]:
    """Copy what is finished at an origin into a study's experiment, made on first use.

    A run that was trained alike in the study, here or there, is there already if it measured as much.

    Args:
        client: of the server that is copied to.
        study: name of the experiment.
        origin: where the runs are.

    Returns:
        How many runs were copied, and how many were there already.

    Raises:
        MlflowException: a server is away. Copying again goes on from there.

    """
    experiment = opened(client, study, {**origin.tags, **note.first(origin.tags.get(keys.DESCRIPTION, ""))})
    copied = there = 0
    for kind in KINDS:
        runs = origin.finished(kind)
        if not runs:
            continue
        measured = _measured(client, experiment, kind)
        fresh = [run for run in runs if not any(set(run.measures) <= m for m in measured[_which(run)])]
        writer = WholeRunWriter(client, experiment, kind, tag=keys.COPY)
        written = writer.write(map(_whole, origin.fetch(fresh)))
        copied += written.logged
        there += written.there + len(runs) - len(fresh)
    return copied, there


def _which(run: StudyRun) -> Hashable:
    """Return what runs of a kind have in common that are one and the same."""
    return settled(run.params) if run.kind == "training" else run.spec_hash


def _measured(
    client: MlflowClient, experiment: Experiment, kind: Kind
) -> defaultdict[Hashable, list[set[str]]]:
    """Return the measures of each finished run that is there."""
    found: defaultdict[Hashable, list[set[str]]] = defaultdict(list)
    for run in map(StudyRun.of, search_runs(client, experiment, kind)):
        if run.status == "FINISHED":
            found[_which(run)].append(set(run.measures))
    return found


def _whole(fetched: Fetched) -> WholeRun:
    run = fetched.run
    about = [run.kind, run.spec_hash, run.tags.get(keys.SCHEMA), sorted(run.measures)]
    identity = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
    return WholeRun(
        kind=run.kind,
        identity=identity,
        name=run.name,
        params=run.params,
        values=_values(fetched),
        write_files=partial(_write, fetched),
        more_tags={**run.tags, keys.SPEC_HASH: run.spec_hash, keys.COPY: identity},
    )


def _values(fetched: Fetched) -> list[Value]:
    """Return the metrics: of the curve all values, of what is no part of it the last one."""
    table = fetched.table
    steps = table.column("step").to_pylist()
    values: list[Value] = []
    for name, last in fetched.run.metrics.items():
        if name in table.column_names:
            column = table.column(name).to_pylist()
            pairs = zip(steps, column, strict=True)
            values += [(name, int(step), float(value)) for step, value in pairs if value is not None]
        else:
            values.append((name, int(steps[-1]) if name.startswith(OPTIMUM) and steps else 0, last))
    return values


def _write(fetched: Fetched, folder: Path) -> None:
    pq.write_table(fetched.table, folder / keys.CURVE)
    if fetched.description is not None:
        (folder / keys.RUN).write_bytes(fetched.description)
