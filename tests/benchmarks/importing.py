"""What importing curves costs, all together into a database and one after the other by MLflow's client.

Run: `python tests/benchmarks/importing.py [CURVES]` (default 400, of 30 points). Both ways write into SQLite
stores in temporary folders, in one process, and take turns; CPU time.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.tracking.context.registry import resolve_tags

from normlaw.tracking import keys
from normlaw.tracking.client import artifacts_at, connect
from normlaw.tracking.imported import import_curves

POINTS, TURNS = 30, 3


def curves(count: int) -> pd.DataFrame:
    """Return random curves of one norm."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "train_size": np.repeat(100 * (1 + np.arange(count) // 10), POINTS),
            "seed": np.repeat(np.arange(count) % 10, POINTS),
            "step": np.tile(np.arange(POINTS), count),
            "log_norm/norm": rng.normal(size=count * POINTS),
            "test/error": rng.uniform(size=count * POINTS),
        }
    )


def one_by_one(client: MlflowClient, study: str, frame: pd.DataFrame, source: str) -> None:
    """Log each curve by the client's calls: a run, a batch of metrics, one of parameters, the file, the end."""
    experiment, tags = client.create_experiment(study), resolve_tags()
    for (size, seed), curve in frame.groupby(["train_size", "seed"]):
        now = int(time.time() * 1000)
        run = client.create_run(
            experiment, now, {**tags, keys.KIND: "imported"}, f"imported P={size} seed={seed}"
        )
        metrics = [
            Metric(name, float(value), now, int(step))
            for name in ("log_norm/norm", "test/error")
            for step, value in zip(curve["step"], curve[name], strict=True)
        ]
        client.log_batch(run.info.run_id, metrics=metrics)
        params = [Param("train_size", str(size)), Param("seed", str(seed)), Param("source", source)]
        client.log_batch(run.info.run_id, params=params)
        with tempfile.TemporaryDirectory() as folder:
            curve.to_parquet(Path(folder, keys.CURVE), index=False)
            artifacts = artifacts_at(client, run.info.artifact_uri)
            artifacts.log_artifacts(folder)  # type: ignore[no-untyped-call]
        client.set_terminated(run.info.run_id)


def main(count: int) -> None:
    """Print the CPU time of each way and their ratio."""
    taken: dict[str, list[float]] = {"one by one": [], "together": []}
    frame = curves(count)
    for turn in range(TURNS + 1):
        for name, way in (("one by one", one_by_one), ("together", import_curves)):
            with tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                client = connect(f"sqlite:///{folder}/mlflow.db")
                start = time.process_time()
                way(client, "curves", frame if turn else frame.head(3 * POINTS), "benchmark")
                if turn:  # the first imports
                    taken[name].append((time.process_time() - start) / count)
                os.chdir("/")
    for name, seconds in taken.items():
        print(f"{name}: {1e3 * statistics.median(seconds):.2f} ms a curve")
    ratios = [slow / fast for slow, fast in zip(*taken.values(), strict=True)]
    print(f"ratio {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
