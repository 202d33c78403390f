"""Fill a folder with what an archive of a study holds: runs, curves, and the latest analyses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.archiving.curves_table import write_curves
from normlaw.archiving.manifest import CURVES, FINDINGS, RUNS, STUDY, ArchivedRun, ArchivedStudy, json_line
from normlaw.study.names import path_part
from normlaw.tracking.client import artifacts_at
from normlaw.tracking.origin import KINDS, StoreOrigin
from normlaw.tracking.reader import search_runs, without_spectra
from normlaw.tracking.study_run import StudyRun
from normlaw_registry import InputError


@dataclass(frozen=True)
class Filled:
    """What a folder was filled with."""

    runs: int
    findings: tuple[str, ...]
    """Names of the analyses."""


def fill_archive(client: MlflowClient, experiment: Experiment, folder: Path) -> Filled:
    """Write `study.json`, `runs.jsonl`, `curves.parquet` and `findings/`; few runs are in memory at once.

    Args:
        client: of the server.
        experiment: the study's.
        folder: an empty one.

    Raises:
        InputError: the study has no finished runs.

    """
    origin = StoreOrigin(client, experiment)
    (folder / STUDY).write_text(
        json_line(ArchivedStudy(name=origin.name, tags=dict(sorted(origin.tags.items())))), encoding="utf-8"
    )
    runs = [run for kind in KINDS for run in origin.finished(kind)]
    if not runs:
        raise InputError(f"study {origin.name!r} has no finished runs to archive")
    with (folder / RUNS).open("w", encoding="utf-8") as lines:

        def curves() -> Iterator[tuple[str, pa.Table]]:
            for fetched in origin.fetch(runs):
                described = json.loads(fetched.description) if fetched.description else None
                lines.write(json_line(_archived(fetched.run, len(fetched.table), described)))
                yield fetched.run.spec_hash, without_spectra(fetched.table)

        write_curves(folder / CURVES, curves())
    return Filled(len(runs), tuple(_findings(client, experiment, folder / FINDINGS)))


def _archived(run: StudyRun, points: int, described: dict[str, object] | None) -> ArchivedRun:
    content = {
        "run": run.spec_hash,
        "kind": run.kind,
        "name": run.name,
        "start_time": run.start_time,
        "params": dict(sorted(run.params.items())),
        "tags": dict(sorted(run.tags.items())),
        "metrics": dict(sorted(run.metrics.items())),
        "points": points,
        "description": described,
    }
    return ArchivedRun.model_validate(content)


def _findings(client: MlflowClient, experiment: Experiment, folder: Path) -> Iterator[str]:
    """Write the files of the latest finished analysis of each name; yield the names."""
    latest = {
        str(run.info.run_name): run
        for run in search_runs(client, experiment, "analysis")  # oldest first
        if run.info.status == "FINISHED"
    }
    for name, run in sorted(latest.items()):
        place = folder / path_part(name)
        place.mkdir(parents=True)
        artifacts_at(client, run.info.artifact_uri).download_artifacts("", str(place))  # type: ignore[no-untyped-call]
        yield name
