"""`normlaw clean`: delete the runs at MLflow that other ones have taken the place of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from normlaw.study.study import Study
from normlaw.verbs.load_study import name_of

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.tracking.store import StudyStore
    from normlaw.tracking.superseded import Superseded


def clean(*studies: str | Study, dry_run: bool = False, tracking_uri: str | None = None) -> pd.DataFrame:
    """Delete the superseded runs of studies (none: of all) at MLflow; `normlaw clean`. It does not ask.

    A run is superseded where another one of the same identity is finished and measured all that it measured;
    so is a failed or killed attempt at a run that is finished, and an analysis that was made again with the
    same choices. What an analysis used that is not superseded itself is kept. Deleted runs can be restored
    (`mlflow runs restore --run-id ID`) until `mlflow gc` removes them for good.

    Args:
        studies: studies or their names.
        dry_run: delete nothing.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Returns:
        A row a superseded run: study, run_id, name, kind, status, start_time, reason, superseded_by (the run_id
        of the other one), used_by (the analysis that it is kept for, empty where there is none) and deleted.

    Raises:
        InputError: no server, or no such study.

    """
    import pandas as pd

    columns = ["study", "run_id", "name", "kind", "status", "start_time", "reason", "superseded_by", "used_by"]
    rows = []
    for store, found in superseded([name_of(study) for study in studies], tracking_uri):
        deleted = not dry_run and not found.used_by
        if deleted:
            store.delete(found)
        run, start = found.run, pd.Timestamp(found.run.start_time, unit="ms", tz="UTC")
        about = (run.run_id, run.name, run.kind, run.status, start, found.reason, found.by, found.used_by)
        rows.append((found.study, *about, deleted))
    return pd.DataFrame(rows, columns=[*columns, "deleted"])


def superseded(studies: Sequence[str], tracking_uri: str | None) -> Iterator[tuple[StudyStore, Superseded]]:
    """Yield each superseded run with the store that it is in; errors as `clean` has them."""
    from normlaw.tracking.store import StudyStore

    for store in StudyStore.every(studies, tracking_uri):
        yield from ((store, found) for found in store.superseded())
