"""The import as a job: a CSV file in, runs of kind `imported` out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from normlaw.analysis.curves_file import DEFAULT_MEASURE, RESPONSES, read_table
from normlaw.study.names import study_name
from normlaw.tracking import keys
from normlaw.tracking.client import connect
from normlaw.tracking.imported import import_curves
from normlaw_registry import InputError


def import_file(path: Path, study: str, tracking_uri: str | None = None) -> tuple[int, int]:
    """Log the curves of a CSV file into a study; return how many were logged and how many were there.

    Raises:
        InputError: the file cannot be used (names file, line and column), a study cannot be called so, or no
            server answers.

    """
    study_name(study)
    curves = wide(read_table(path), path)
    return import_curves(connect(tracking_uri), study, curves, source=path.name)


def wide(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return one row a measuring point, a column log_norm/<measure> for each measure.

    Without a step column, the points of each curve are numbered in the order of the file.

    Raises:
        InputError: the test errors or losses of one step differ between measures.

    """
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
