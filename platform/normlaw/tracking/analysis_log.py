"""Log the results of an analysis as a run of the study's own experiment."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.study.listed import MAX_PARAM_LENGTH
from normlaw.tracking import keys
from normlaw.tracking.note import image
from normlaw.tracking.whole_run import WholeRun
from normlaw.tracking.whole_writer import WholeRunWriter
from normlaw.tracking.writer import MAX_PARAMS

MAX_TAG_LENGTH = 5000
"""Characters of a tag that every MLflow since 3.7 takes."""
ENDINGS = (".json", ".txt", ".csv")


def log_analysis(
    client: MlflowClient,
    experiment: Experiment,
    *,
    name: str,
    metrics: Mapping[str, float],
    params: Mapping[str, str],
    folder: Path,
    setting: str | None = None,
    note: Sequence[str] = (),
    figures: Mapping[str, str] | None = None,
    plugins: Mapping[str, str] | None = None,
) -> str:
    """Log one analysis with every file in `folder`; return its run id.

    Where the latest analysis of this name found the same, nothing is logged, and the id is that one's. A metric
    that is not finite is left out: MLflow's pages break on it.

    Args:
        client: of the tracking server.
        experiment: the study's.
        name: of the run.
        metrics: single numbers.
        params: what the analysed runs have in common, and the choices of the analysis.
        folder: its files.
        setting: what tells the analysed runs from the study's others, where laws were fitted to them.
        note: lines of Markdown that the run's page begins with.
        figures: captions of the folder's figures to show below them, by name; those that find room are shown.
        plugins: version of each distribution that the fitters came from.

    """
    values = [(key, 0, value) for key, value in metrics.items()]
    logged = {key: value[:MAX_PARAM_LENGTH] for key, value in list(params.items())[:MAX_PARAMS]}
    tags = {
        **({keys.SETTING: setting} if setting is not None else {}),
        **({keys.PLUGINS: keys.plugins_tag(plugins)} if plugins else {}),
        **({keys.NORM: params["norm"]} if "norm" in params else {}),
    }
    found = [name, values, logged, tags, list(note), *_results(folder)]

    def shown(run_id: str) -> str:
        text = "\n".join(note)[:MAX_TAG_LENGTH]
        for figure, caption in (figures or {}).items():
            part = f"\n\n{image(run_id, f'figures/{figure}.svg')}" + (f"\n\n{caption}" if caption else "")
            if len(text) + len(part) <= MAX_TAG_LENGTH:
                text += part
        return text

    def copy(place: Path) -> None:
        shutil.copytree(folder, place, dirs_exist_ok=True)

    run = WholeRun(
        kind="analysis",
        identity=hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16],
        name=name,
        params=logged,
        values=values,
        write_files=copy,
        more_tags=tags,
        note=shown,
    )
    return WholeRunWriter(client, experiment, "analysis", series=True).write([run]).run_id


def _results(folder: Path) -> list[str]:
    """Return what an analysis found, as its files have it; figures show the same."""
    return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.suffix in ENDINGS]
