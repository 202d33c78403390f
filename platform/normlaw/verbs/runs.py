"""`normlaw.runs` and `normlaw.curves`: what MLflow holds of a study, as tidy data frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normlaw.study.study import Study
from normlaw.verbs.load_study import name_of

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.tracking.study_run import Kind


def runs(
    study: str | Study, *, kinds: Sequence[Kind] = ("training", "imported"), tracking_uri: str | None = None
) -> pd.DataFrame:
    """Return a study's runs at MLflow, a row a run, oldest first.

    Columns: run (the specification's hash), run_id, name, kind, status, start_time, the parameters by their
    MLflow names, and the last value of each metric.

    Args:
        study: a study or its name.
        kinds: kinds of runs: training, imported, theory, analysis.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no such study, or no server answers.

    """
    import pandas as pd

    from normlaw.tracking.store import StudyStore

    rows = [
        {
            "run": run.spec_hash or None,
            "run_id": run.run_id,
            "name": run.name,
            "kind": run.kind,
            "status": run.status,
            "start_time": pd.Timestamp(run.start_time, unit="ms", tz="UTC"),
            **run.params,
            **{name: value for name, value in run.metrics.items() if name not in run.params},
        }
        for run in StudyStore.open(name_of(study), tracking_uri).runs(*kinds)
    ]
    frame = pd.DataFrame(rows)
    for column in ("train_size", "seed"):
        if column in frame:
            frame[column] = pd.to_numeric(frame[column]).astype("Int64")
    return frame


def curves(
    study: str | Study, *, kinds: Sequence[Kind] = ("training", "imported"), tracking_uri: str | None = None
) -> pd.DataFrame:
    """Return a study's learning curves, a row a measuring point, from the finished runs at MLflow.

    Columns: run (the specification's hash), train_size, seed, step, epoch, test/error, test/loss, train/error,
    train/loss, log_norm/<measure> (natural log) for each measure, and each parameter in which the study's runs
    differ.

    Args:
        study: a study or its name.
        kinds: kinds of runs: training, imported, theory.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no such study, no finished runs of these kinds, or no server answers.

    """
    from normlaw.tracking.store import StudyStore
    from normlaw.verbs._curves import curves_of

    return curves_of(StudyStore.open(name_of(study), tracking_uri), kinds)
