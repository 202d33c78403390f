"""The optimum of a training run as metrics: the number that reports show.

A run's writer logs it from the run's own curve as the run ends. An analysis knows all runs of the setting,
whose scatter says how deep the bottom of a curve is; it sets the metrics to what its report shows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from math import exp, isclose
from typing import TYPE_CHECKING

from mlflow import MlflowClient
from mlflow.entities import Metric

from normlaw.tracking.sizes import TRAIN_SIZE

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.tracking.study_run import StudyRun

PREFIX = "optimum/"
"""Metrics that are derived from a whole curve."""
TEST_ERROR, LOG_NORM, BRACKETED = f"{PREFIX}test_error", f"{PREFIX}log_norm", f"{PREFIX}bracketed"


def optimum_metrics(log_norm: float, log_error: float, bracketed: bool, when: int, step: int) -> list[Metric]:
    """Return an optimum as metrics.

    Args:
        log_norm: natural log of the norm.
        log_error: natural log of the test error.
        bracketed: whether there are points on both sides; logged as 1 or 0.
        when: time stamp, milliseconds since 1970.
        step: the curve's last.

    """
    values = {TEST_ERROR: exp(log_error), LOG_NORM: log_norm, BRACKETED: float(bracketed)}
    return [Metric(name, value, when, step) for name, value in values.items()]


def show_optima(client: MlflowClient, runs: Iterable[StudyRun], curves: pd.DataFrame) -> None:
    """Set the optima of training runs to those of the analysed curves; a run that has them is left alone.

    Args:
        client: of the tracking server.
        runs: training runs, of the specifications that the curves are called by.
        curves: as the analysis has prepared them, in the study's own norm.

    """
    from normlaw_registry.curves import floats, run_optima

    found = run_optima(curves)
    places = zip(floats(found, "log_norm"), floats(found, "log_error"), found["bracketed"], strict=True)
    optima = dict(zip(found["run"], ((float(x), float(y), bool(b)) for x, y, b in places), strict=True))
    last = curves.groupby("run")["step"].max() if "step" in curves.columns else None
    for run in runs:
        if run.spec_hash not in optima:
            continue
        log_norm, log_error, bracketed = optima[run.spec_hash]
        wanted = optimum_metrics(
            log_norm,
            log_error,
            bracketed,
            time.time_ns() // 1_000_000,
            0 if last is None else int(last[run.spec_hash]),
        )
        if TRAIN_SIZE not in run.metrics:  # a version before logged the parameter alone
            wanted.append(Metric(TRAIN_SIZE, float(run.train_size), run.start_time, 0))
        there = run.metrics
        if not all(m.key in there and isclose(there[m.key], m.value, rel_tol=1e-12) for m in wanted):
            client.log_batch(run.run_id, metrics=wanted)
