"""What the report of a study leads to: its runs at MLflow, their git commits, the study; and where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normlaw.analysis.links import Links, RunLink
from normlaw.study.named import shipped_studies
from normlaw.tracking import keys
from normlaw.tracking.archive_origin import ArchiveOrigin
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import StudyRun


def links_of(store: StudyStore | ArchiveOrigin, runs: Sequence[StudyRun], file: str = "") -> Links:
    """Return where the analysed runs are.

    Args:
        store: the study's; an archive has no pages.
        runs: those of one setting.
        file: the study's, where it is known.

    """
    study = file or (f"normlaw studies {store.name} --show" if store.name in shipped_studies() else "")
    if isinstance(store, ArchiveOrigin):
        return Links(study=study)
    pages = store.pages()
    found = tuple(
        RunLink(
            name=run.name,
            address=pages.run(run.run_id),
            run=run.spec_hash,
            commit=run.tags.get(keys.COMMIT, ""),
        )
        for run in runs
    )
    return Links(experiment=pages.experiment, serving=pages.command, runs=found, study=study)


def where_written(folder: Path, run_id: str | None) -> str:
    """Return what a notebook says of where results are: their folder, and their MLflow run if there is one."""
    return f"Tables and figures: {folder}" + (f"; MLflow run {run_id}" if run_id else "")
