"""Log the results of an analysis as a run of the study's own experiment."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param, RunTag
from mlflow.tracking.context.registry import resolve_tags

from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_of


def log_analysis(
    client: MlflowClient,
    experiment: Experiment,
    *,
    name: str,
    metrics: Mapping[str, float],
    params: Mapping[str, str],
    folder: Path,
) -> str:
    """Log one analysis with every file in `folder`; return its run id.

    A metric that is not finite is left out: MLflow's pages break on it.
    """
    now = int(time.time() * 1000)
    tags = {**resolve_tags(), keys.KIND: "analysis"}
    run = client.create_run(experiment.experiment_id, start_time=now, tags=tags, run_name=name)
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items() if math.isfinite(value)],
        params=[Param(key, value) for key, value in params.items()],
        tags=[RunTag(keys.NORM, params["norm"])] if "norm" in params else [],
    )
    artifacts_of(client, run).log_artifacts(str(folder))  # type: ignore[no-untyped-call]
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)
