"""Log the exact curves of a theory: a run of kind `theory` for each load, read back as trained runs are."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param, Run
from mlflow.tracking.context.registry import resolve_tags

from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_of
from normlaw.tracking.experiment import opened
from normlaw.tracking.reader import search_runs
from normlaw.tracking.writer import batches
from normlaw_registry import Prediction


@dataclass(frozen=True)
class TheoryCurve:
    """One load's predictions, in the order of their norms."""

    theory: str
    params: Mapping[str, Any]
    alpha: float
    train_size: int
    predictions: tuple[Prediction, ...]
    references: Mapping[str, float]
    """Errors to compare with, by name."""

    @property
    def spec_hash(self) -> str:
        """Identity: what was asked, not what was answered."""
        asked = {
            "theory": self.theory,
            "params": dict(self.params),
            "alpha": self.alpha,
            "train_size": self.train_size,
            "norms": [prediction.norm for prediction in self.predictions],
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def frame(self) -> pd.DataFrame:
        """The curve as a trained run's: step, train_size, seed, test/error, log_norm/..., order parameters."""
        rows = [
            {
                "step": step,
                "test/error": prediction.error,
                keys.log_norm(keys.THEORY_NORM): math.log(prediction.norm),
                **{f"theory/{name}": value for name, value in prediction.order_parameters.items()},
            }
            for step, prediction in enumerate(self.predictions)
        ]
        return pd.DataFrame(rows).assign(train_size=self.train_size, seed=0, alpha=self.alpha)


def open_study(client: MlflowClient, study: str) -> Experiment:
    """Return the experiment of that name, made where there is none yet."""
    return opened(client, study, {keys.NORM: keys.THEORY_NORM})


def log_theory(client: MlflowClient, experiment: Experiment, curves: list[TheoryCurve]) -> int:
    """Log the curves that the experiment does not have yet; return how many those were."""
    known = {
        run.data.tags.get(keys.SPEC_HASH): run
        for run in search_runs(client, experiment, "theory")
        if run.info.status == "FINISHED"
    }
    missing = [curve for curve in curves if curve.spec_hash not in known]
    for curve in missing:
        _write(client, experiment, curve)
    return len(missing)


def _write(client: MlflowClient, experiment: Experiment, curve: TheoryCurve) -> None:
    now = int(time.time() * 1000)
    run: Run = client.create_run(
        experiment.experiment_id,
        start_time=now,
        tags={**resolve_tags(), keys.KIND: "theory", keys.SPEC_HASH: curve.spec_hash},
        run_name=f"theory {curve.theory} alpha={curve.alpha:g}",
    )
    params = {
        "theory": curve.theory,
        "alpha": curve.alpha,
        "train_size": curve.train_size,
        **{f"theory.{key}": value for key, value in curve.params.items()},
    }
    logged = [Param(key, str(value)) for key, value in params.items()]
    for metrics, some_params in batches(list(_metrics(curve, now)), logged):
        client.log_batch(run.info.run_id, metrics=metrics, params=some_params)
    with tempfile.TemporaryDirectory() as folder:
        curve.frame.to_parquet(Path(folder, keys.CURVE), index=False)
        artifacts_of(client, run).log_artifacts(folder)  # type: ignore[no-untyped-call]
    client.set_terminated(run.info.run_id)


def _metrics(curve: TheoryCurve, now: int) -> Iterator[Metric]:
    """Yield every finite number; MLflow's pages break on the others."""
    for row in curve.frame.drop(columns=["train_size", "seed", "alpha"]).to_dict("records"):
        step = int(row.pop("step"))
        yield from (Metric(str(key), value, now, step) for key, value in row.items() if math.isfinite(value))
    for name, error in curve.references.items():
        yield Metric(f"{keys.REFERENCE}{name}", error, now, 0)
