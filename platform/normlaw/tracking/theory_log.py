"""Log the exact curves of a theory: a run of kind `theory` for each load, read back as trained runs are."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.tracking import keys
from normlaw.tracking.experiment import opened
from normlaw.tracking.whole_run import Value, WholeRun
from normlaw.tracking.whole_writer import WholeRunWriter
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
    return WholeRunWriter(client, experiment, "theory").write(map(_run, curves)).logged


def _run(curve: TheoryCurve) -> WholeRun:
    params = {
        "theory": curve.theory,
        "alpha": curve.alpha,
        "train_size": curve.train_size,
        **{f"theory.{key}": value for key, value in curve.params.items()},
    }
    return WholeRun(
        kind="theory",
        identity=curve.spec_hash,
        name=f"theory {curve.theory} alpha={curve.alpha:g}",
        params={key: str(value) for key, value in params.items()},
        values=list(_values(curve)),
        write_files=lambda folder: curve.frame.to_parquet(folder / keys.CURVE, index=False),
    )


def _values(curve: TheoryCurve) -> Iterator[Value]:
    for row in curve.frame.drop(columns=["train_size", "seed", "alpha"]).to_dict("records"):
        step = int(row.pop("step"))
        yield from ((str(key), step, float(value)) for key, value in row.items())
    for name, error in curve.references.items():
        yield f"{keys.REFERENCE}{name}", 0, float(error)
