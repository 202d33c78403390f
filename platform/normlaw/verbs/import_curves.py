"""`normlaw import`: log curves that were measured elsewhere, a run of kind `imported` each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.study.names import study_name
from normlaw_registry import InputError

if TYPE_CHECKING:
    import pandas as pd


def import_curves(path: Path | str, study: str, *, tracking_uri: str | None = None) -> tuple[int, int]:
    """Log the curves of a CSV file into a study; `normlaw import`.

    Args:
        path: a file with the columns that `curves` returns, or one of the form that `fit` takes.
        study: the study's name; made when there is none.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Returns:
        How many curves were logged, and how many were there already.

    Raises:
        InputError: the file cannot be used (names file, line and column), a study cannot be called so, or no
            server answers.

    """
    from normlaw.analysis.curves_file import read_table
    from normlaw.analysis.frame_file import read_frame
    from normlaw.tracking import imported
    from normlaw.tracking.client import connect

    study_name(study)
    found = read_frame(Path(path))
    curves, settings = (wide(read_table(Path(path)), Path(path)), []) if found is None else found
    return imported.import_curves(connect(tracking_uri), study, curves, Path(path).name, settings)


def wide(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return one row a measuring point, a column log_norm/<measure> for each measure.

    Without a step column, the points of each curve are numbered in the order of the file.

    Raises:
        InputError: the test errors or losses of one step differ between measures.

    """
    from normlaw.analysis.curves_file import DEFAULT_MEASURE, RESPONSES
    from normlaw.tracking import keys

    table = table.assign(measure=table.get("measure", DEFAULT_MEASURE), seed=table.get("seed", 0))
    curve = ["train_size", "seed", "measure"]
    if "step" not in table.columns:
        table["step"] = table.groupby(curve).cumcount()
    point = ["train_size", "seed", "step"]
    responses = [name for name in RESPONSES if name in table.columns]
    for response in responses:
        differ = table.groupby(point)[response].nunique() > 1
        if differ.any():
            first = differ.reset_index()[differ.to_numpy()].iloc[0]
            where = ", ".join(f"{name} {int(first[name])}" for name in point)
            several = {"test_error": "test errors", "test_loss": "test losses"}[response]
            raise InputError(
                f"{path}: {where} has several {several}: number the points of all measures with a column 'step'"
            )
    norms = table.pivot_table(index=point, columns="measure", values="log_norm", sort=False)
    norms.columns = [keys.log_norm(measure) for measure in map(str, norms.columns)]
    others = [c for c in ("alpha", "mean_log_optimal_norm") if c in table.columns]
    rest = table.groupby(point)[[*responses, *others]].first()
    rest = rest.rename(columns={name: name.replace("_", "/") for name in responses})
    return norms.join(rest).reset_index()
