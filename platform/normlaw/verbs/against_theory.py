"""`normlaw.against_theory`: trained curves beside exact ones, as tables, figures and a run at MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from normlaw.analysis.against_theory.comparison import Comparison, compare
from normlaw.analysis.against_theory.figures import figures
from normlaw.analysis.against_theory.text import render
from normlaw.analysis.writing import write_tables
from normlaw.base.files import whole_folder
from normlaw.study.names import path_part
from normlaw.study.study import Study
from normlaw.tracking import keys
from normlaw.tracking.analysis_log import LoggedAnalysis
from normlaw.tracking.archive_origin import ArchiveOrigin
from normlaw.tracking.settings import by_setting, label, shared_settings
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import StudyRun
from normlaw.tracking.tidy import tidy
from normlaw.verbs._compared import Compared
from normlaw.verbs.load_study import name_of
from normlaw.verbs.on_theory import compare_with_counterparts


def against_theory(
    study: str | Study, *, reports: Path | str = Path("reports"), tracking_uri: str | None = None
) -> Compared | None:
    """Set a study's trained curves against exact ones; None where there are not both.

    Exact curves are the study's own theory runs, as `normlaw theory NAME --study STUDY` logs them, or those of
    a theory that says which of its curves each run is to lie on. `analyse` does so by itself.

    Args:
        study: a study or its name.
        reports: folder in which the results are written, under STUDY/against_theory or
            STUDY/against_NAME.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no server or no such study, or weight_norm was not measured.

    """
    store = StudyStore.open(name_of(study), tracking_uri, "add")
    own = compare_with_theory(store, Path(reports))
    return own or next(compare_with_counterparts(store, Path(reports)), None)


def compare_with_theory(store: StudyStore | ArchiveOrigin, reports: Path) -> Compared | None:
    """Do what `against_theory` does, with the study's own theory runs."""
    trained = store.finished("training", norm=keys.THEORY_NORM)
    exact = [run for run in store.finished("theory") if "alpha" in run.params]  # those of loads
    if not trained or not exact:
        return None
    measured = {}
    for setting, runs in by_setting(trained):
        measured[label(setting) or "measured"] = tidy(store.curves(runs), keys.THEORY_NORM)[0]
    theory, _ = tidy(store.curves(exact), keys.THEORY_NORM)
    loads = references_of(exact)
    theory = theory.merge(loads[["train_size", "alpha"]], on="train_size")
    comparison = compare(measured, theory, loads)
    if comparison.agreement.empty:
        return None
    text = render(comparison)
    folder = reports / path_part(store.name) / "against_theory"
    write(comparison, text, folder)
    numbers = {
        f"{row['exponent']}/{row['setting']}".replace("=", "-"): float(row["value"])
        for row in comparison.exponents.to_dict("records")
    }
    logged = LoggedAnalysis(
        name=f"{store.name} against theory",
        metrics=numbers,
        params={**shared_settings(trained), "norm": keys.THEORY_NORM},
        folder=folder,
        note=["```", *text.splitlines(), "```"],
        command=f"normlaw analyse {store.name}",
    )
    return Compared(comparison, text, folder, store.log_analysis(logged))


def references_of(runs: Sequence[StudyRun]) -> pd.DataFrame:
    """Return a row a theory run: alpha, train_size, and the errors to compare with."""
    rows = [
        {"alpha": float(run.params["alpha"]), "train_size": run.train_size, **run.references} for run in runs
    ]
    return pd.DataFrame(rows).drop_duplicates("train_size")


def write(comparison: Comparison, text: str, folder: Path) -> None:
    """Write summary.txt, tables and figures beside the folder first, then put them in its place."""
    with whole_folder(folder) as draft:
        write_tables(comparison.tables(), draft)
        (draft / "figures").mkdir()
        (draft / "summary.txt").write_text(text + "\n", encoding="utf-8")
        for name, figure in figures(comparison).items():
            figure.savefig(draft / "figures" / f"{name}.png", dpi=150)
            figure.savefig(draft / "figures" / f"{name}.svg")
