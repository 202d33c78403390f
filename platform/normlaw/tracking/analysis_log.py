"""Log the results of an analysis as a run of the study's own experiment."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param, RunTag
from mlflow.tracking.context.registry import resolve_tags

from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_of
from normlaw.tracking.note import image
from normlaw.tracking.writer import MAX_PARAM_LENGTH, MAX_PARAMS

MAX_TAG_LENGTH = 5000
"""Characters of a tag that every MLflow since 3.7 takes."""


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
    figures: Sequence[str] = (),
    plugins: Mapping[str, str] | None = None,
) -> str:
    """Log one analysis with every file in `folder`; return its run id.

    A metric that is not finite is left out: MLflow's pages break on it.

    Args:
        client: of the tracking server.
        experiment: the study's.
        name: of the run.
        metrics: single numbers.
        params: what the analysed runs have in common, and the choices of the analysis.
        folder: its files.
        setting: what tells the analysed runs from the study's others, where laws were fitted to them.
        note: lines of Markdown that the run's page begins with.
        figures: names of figures in the folder to show below them.
        plugins: version of each distribution that the fitters came from.

    """
    now = int(time.time() * 1000)
    tags = {**resolve_tags(), keys.KIND: "analysis"}
    if setting is not None:
        tags[keys.SETTING] = setting
    run = client.create_run(experiment.experiment_id, start_time=now, tags=tags, run_name=name)
    shown = [f"\n{image(run.info.run_id, f'figures/{figure}.svg')}" for figure in figures]
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items() if math.isfinite(value)],
        params=[Param(key, value[:MAX_PARAM_LENGTH]) for key, value in params.items()][:MAX_PARAMS],
        tags=[
            *([RunTag(keys.PLUGINS, keys.plugins_tag(plugins))] if plugins else []),
            *([RunTag(keys.NORM, params["norm"])] if "norm" in params else []),
            RunTag(keys.NOTE, "\n".join([*note, *shown])[:MAX_TAG_LENGTH]),
        ],
    )
    artifacts_of(client, run).log_artifacts(str(folder))  # type: ignore[no-untyped-call]
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)
