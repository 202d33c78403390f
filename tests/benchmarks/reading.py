"""How fast curves come back from an MLflow server on loopback, against one metric history at a time.

Run: `python tests/benchmarks/reading.py [RUNS]`. It starts a server with an SQLite store in a temporary
folder, logs RUNS runs (default 100) of 10 metrics x 60 points, and times both ways in one process; the slow
way on a sample of the runs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient

from normlaw.tracking.client import connect
from normlaw.tracking.imported import import_curves
from normlaw.tracking.reader import find_experiment
from normlaw.tracking.store import StudyStore

METRICS, POINTS, SAMPLE = 10, 60, 10


def curves(runs: int) -> pd.DataFrame:
    """Return random curves: nine norms and the test error of each run."""
    rng = np.random.default_rng(0)
    rows = runs * POINTS
    frame = pd.DataFrame(
        {
            "train_size": np.repeat(100 * (1 + np.arange(runs) // 10), POINTS),
            "seed": np.repeat(np.arange(runs) % 10, POINTS),
            "step": np.tile(np.arange(POINTS), runs),
            "test/error": rng.uniform(size=rows),
        }
    )
    for measure in range(METRICS - 1):
        frame[f"log_norm/measure_{measure}"] = rng.normal(size=rows)
    return frame


def wait_for(uri: str) -> None:
    """Return when the server answers."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{uri}/health", timeout=5)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise SystemExit("the MLflow server did not start")


def main(runs: int) -> None:
    """Print both times and their ratio."""
    with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
        folder = Path(name)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        uri = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
        command += ["--artifacts-destination", str(folder / "artifacts")]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (folder / "server.log").open("w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | quiet, cwd=folder)
            try:
                wait_for(uri)
                compare(connect(uri), runs)
            finally:
                server.terminate()
                server.wait(timeout=30)


def as_parquet(frame: pd.DataFrame) -> BytesIO:
    """Return a frame as a Parquet file."""
    file = BytesIO()
    frame.to_parquet(file, index=False)
    file.seek(0)
    return file


def compare(client: MlflowClient, runs: int) -> None:
    """Log the runs, then read them both ways."""
    frame = curves(runs)
    start = time.perf_counter()
    import_curves(client, "reading", frame, "benchmark")
    print(f"logged {runs} runs of {METRICS} metrics x {POINTS} points: {time.perf_counter() - start:.1f} s")

    pd.read_parquet(as_parquet(frame.head(POINTS)))  # imports
    start = time.perf_counter()
    store = StudyStore(client, find_experiment(client, "reading"))
    found = list(store.runs("imported"))
    read = store.curves(found)
    fast = (time.perf_counter() - start) / runs
    assert len(read) == len(frame)

    names = [column for column in frame.columns if "/" in column]
    sample = found[: min(SAMPLE, runs)]
    start = time.perf_counter()
    histories = [client.get_metric_history(run.run_id, name) for run in sample for name in names]
    slow = (time.perf_counter() - start) / len(sample)
    assert all(len(history) == POINTS for history in histories)
    print(f"one artifact a run {fast * 1e3:.1f} ms, one history a run and metric {slow * 1e3:.0f} ms a run")
    print(f"ratio {slow / fast:.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
