"""The load of the machine while a launch trains, as MLflow's own monitor measures it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor


@contextmanager
def system_metrics(client: MlflowClient, run_id: str) -> Iterator[None]:
    """Log CPU, memory, disk, network and NVIDIA GPUs (with nvidia-ml-py) of this machine while the block lasts.

    They are metrics system/..., every ten seconds (MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL), and MLflow shows
    them on a tab of the run's page. The monitor gives up when the server goes away.
    """
    logging.getLogger("mlflow.system_metrics").setLevel(logging.WARNING)
    monitor = SystemMetricsMonitor(run_id, tracking_uri=client.tracking_uri)  # type: ignore[no-untyped-call]
    monitor.start()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        monitor.finish()  # type: ignore[no-untyped-call]
