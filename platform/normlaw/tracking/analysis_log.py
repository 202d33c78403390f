"""Log the results of an analysis as a run of the study's own experiment."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.study.listed import MAX_PARAM_LENGTH
from normlaw.tracking import keys
from normlaw.tracking.note import image
from normlaw.tracking.reader import search_runs
from normlaw.tracking.study_run import StudyRun
from normlaw.tracking.superseded import made_again
from normlaw.tracking.whole_run import WholeRun
from normlaw.tracking.whole_writer import WholeRunWriter
from normlaw.tracking.writer import MAX_PARAMS

MAX_TAG_LENGTH = 5000
"""Characters of a tag that every MLflow since 3.7 takes."""
ENDINGS = (".json", ".txt", ".csv")


@dataclass(frozen=True, kw_only=True)
class LoggedAnalysis:
    """An analysis as it is logged."""

    name: str
    """Of its run."""
    metrics: Mapping[str, float]
    """Single numbers. One that is not finite is left out: MLflow's pages break on it."""
    params: Mapping[str, str]
    """What the analysed runs have in common, and the choices of the analysis."""
    folder: Path
    """Its files."""
    setting: str | None = None
    """What tells the analysed runs from the study's others, where laws were fitted to them."""
    note: Sequence[str] = ()
    """Lines of Markdown that the run's page begins with."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """Captions of the folder's figures to show below them, by name; those that find room are shown."""
    plugins: Mapping[str, str] = field(default_factory=dict)
    """Version of each distribution that its components came from."""
    command: str = ""
    """The command that repeats it."""


def log_analysis(client: MlflowClient, experiment: Experiment, analysis: LoggedAnalysis) -> str:
    """Log one analysis with every file in its folder; return its run id.

    Where the study's latest analysis of this setting has this name and found the same, nothing is logged, and
    the id is that one's. Else the run takes the place of those that `superseded.made_again` finds: MLflow
    deletes them, and can restore them.
    """
    values = [(key, 0, value) for key, value in analysis.metrics.items()]
    logged = {key: value[:MAX_PARAM_LENGTH] for key, value in list(analysis.params.items())[:MAX_PARAMS]}
    tags = {
        **({keys.SETTING: analysis.setting} if analysis.setting is not None else {}),
        **({keys.PLUGINS: keys.plugins_tag(analysis.plugins)} if analysis.plugins else {}),
        **({keys.NORM: analysis.params["norm"]} if "norm" in analysis.params else {}),
        **({keys.COMMAND: analysis.command[:MAX_TAG_LENGTH]} if analysis.command else {}),
    }
    found = [analysis.name, values, logged, tags, list(analysis.note), *_results(analysis.folder)]

    def shown(run_id: str) -> str:
        text = "\n".join(analysis.note)[:MAX_TAG_LENGTH]
        for figure, caption in analysis.figures.items():
            part = f"\n\n{image(run_id, f'figures/{figure}.svg')}" + (f"\n\n{caption}" if caption else "")
            if len(text) + len(part) <= MAX_TAG_LENGTH:
                text += part
        return text

    def copy(place: Path) -> None:
        shutil.copytree(analysis.folder, place, dirs_exist_ok=True)

    run = WholeRun(
        kind="analysis",
        identity=hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16],
        name=analysis.name,
        params=logged,
        values=values,
        write_files=copy,
        more_tags=tags,
        note=shown,
    )
    run_id = WholeRunWriter(client, experiment, "analysis", series=True).write([run]).run_id
    _replace_earlier(client, experiment, run_id)
    return run_id


def _replace_earlier(client: MlflowClient, experiment: Experiment, run_id: str) -> None:
    """Delete the analyses that one takes the place of.

    Those of a version before, which have no command, stay: not all their choices are listed.
    """
    known = [run for run in search_runs(client, experiment, "analysis") if keys.COMMAND in run.data.tags]
    for found in made_again(experiment.name, map(StudyRun.of, known)):
        if found.by == run_id:
            client.set_tag(found.run.run_id, keys.CLEANED, found.reason)
            client.delete_run(found.run.run_id)


def _results(folder: Path) -> list[str]:
    """Return what an analysis found, as its files have it; figures show the same."""
    return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.suffix in ENDINGS]
