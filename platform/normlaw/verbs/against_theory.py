"""The comparison with theory as a job: trained and exact curves from MLflow, tables and figures out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.analysis.against_theory.comparison import Comparison, compare
from normlaw.analysis.against_theory.figures import figures
from normlaw.analysis.against_theory.text import render
from normlaw.base.files import whole_folder
from normlaw.study.names import path_part
from normlaw.tracking import keys
from normlaw.tracking.analysis_log import log_analysis
from normlaw.tracking.client import connect
from normlaw.tracking.reader import find_experiment, read_curves, search_runs
from normlaw.tracking.same import finished
from normlaw.tracking.settings import by_setting, label, shared_settings
from normlaw.verbs.analyse import tidy

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run


@dataclass(frozen=True)
class Compared:
    """A comparison, where its files are, and its MLflow run."""

    comparison: Comparison
    text: str
    folder: Path
    run_id: str


def compare_study(
    study: str, *, tracking_uri: str | None = None, reports: Path = Path("reports")
) -> Compared | None:
    """Set a study's trained curves against its theory runs; None where it has not both.

    Args:
        study: name of the study.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        reports: folder in which the results are written, under STUDY/against_theory.

    Raises:
        InputError: no server or no such study, or weight_norm was not measured.

    """
    client = connect(tracking_uri, "add")
    experiment = find_experiment(client, study)
    trained = finished(search_runs(client, experiment, "training"), keys.THEORY_NORM)
    exact = finished(search_runs(client, experiment, "theory"))
    if not trained or not exact:
        return None
    measured = {}
    for setting, runs in by_setting(trained):
        measured[label(setting) or "measured"] = tidy(read_curves(client, runs), keys.THEORY_NORM)[0]
    theory, _ = tidy(read_curves(client, exact), keys.THEORY_NORM)
    loads = references_of(exact)
    theory = theory.merge(loads[["train_size", "alpha"]], on="train_size")
    comparison = compare(measured, theory, loads)
    if comparison.agreement.empty:
        return None
    text = render(comparison)
    folder = reports / path_part(study) / "against_theory"
    write(comparison, text, folder)
    numbers = {
        f"{row['exponent']}/{row['setting']}".replace("=", "-"): float(row["value"])
        for row in comparison.exponents.to_dict("records")
    }
    run_id = log_analysis(
        client,
        experiment,
        name=f"{study} against theory",
        metrics=numbers,
        params={**shared_settings(trained), "norm": keys.THEORY_NORM},
        folder=folder,
        note=["```", *text.splitlines(), "```"],
    )
    return Compared(comparison, text, folder, run_id)


def references_of(runs: list[Run]) -> pd.DataFrame:
    """Return a row a theory run: alpha, train_size, and the errors to compare with."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "alpha": float(run.data.params["alpha"]),
                "train_size": int(run.data.params["train_size"]),
                **{
                    key.removeprefix(keys.REFERENCE): value
                    for key, value in run.data.metrics.items()
                    if key.startswith(keys.REFERENCE)
                },
            }
            for run in runs
        ]
    ).drop_duplicates("train_size")


def write(comparison: Comparison, text: str, folder: Path) -> None:
    """Write summary.txt, tables and figures beside the folder first, then put them in its place."""
    with whole_folder(folder) as draft:
        (draft / "tables").mkdir()
        (draft / "figures").mkdir()
        (draft / "summary.txt").write_text(text + "\n", encoding="utf-8")
        for name, table in comparison.tables().items():
            table.to_csv(draft / "tables" / f"{name}.csv", index=False)
        for name, figure in figures(comparison).items():
            figure.savefig(draft / "figures" / f"{name}.png", dpi=150)
            figure.savefig(draft / "figures" / f"{name}.svg")
