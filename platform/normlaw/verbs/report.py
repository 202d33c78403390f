"""The comparison as a job: the latest analyses of studies from MLflow, one page out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run

from normlaw.analysis.comparison import comparison_page
from normlaw.analysis.writing import MARK
from normlaw.base.files import write_whole
from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_of, connect
from normlaw.tracking.reader import find_experiment, search_runs
from normlaw_registry import InputError


def compare(studies: Sequence[str], page: Path, tracking_uri: str | None = None) -> list[str]:
    """Write the page that compares studies; return the names of the analyses on it.

    Args:
        studies: names of studies; none means every study at the server.
        page: the HTML file to write.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no server, no such study, no analysis of any of them, or the page cannot be written.

    """
    found = analyses_of(studies, tracking_uri)
    try:
        write_whole(page, comparison_page(found))
    except OSError as error:
        raise InputError(f"cannot write {page}: {error.strerror}") from None
    return list(found)


def analyses_of(studies: Sequence[str], tracking_uri: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the results of the latest analyses of studies (none: all) by the names of their runs.

    Raises:
        InputError: no server, no such study, or no analysis of any of them.

    """
    client = connect(tracking_uri, "read")
    chosen = (
        [find_experiment(client, study) for study in studies] if studies else list(client.search_experiments())
    )
    found = {name: result for experiment in chosen for name, result in latest(client, experiment).items()}
    if not found:
        named = ", ".join(studies) or "this server"
        raise InputError(f"no analysis of {named} yet: `normlaw analyse STUDY` makes one")
    return found


def latest(client: MlflowClient, experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Return the last finished analysis of each setting of a study, by the study's name and the setting."""
    runs: dict[str, Run] = {}
    for run in search_runs(client, experiment, "analysis"):  # oldest first
        setting = run.data.tags.get(keys.SETTING)  # a comparison with theory is no fit of the laws and has none
        if run.info.status == "FINISHED" and setting is not None:
            name = experiment.name if setting == keys.WHOLE_STUDY else f"{experiment.name} {setting}"
            runs[name] = run
    return {name: _results(client, run) for name, run in runs.items()}


def _results(client: MlflowClient, run: Run) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = artifacts_of(client, run).download_artifacts(MARK, folder)  # type: ignore[no-untyped-call]
        found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return {**found, "norm": run.data.tags.get(keys.NORM, "")}
