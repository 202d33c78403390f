"""`normlaw import`: log curves that were measured elsewhere, a run of kind `imported` each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.study.names import study_name
from normlaw_registry import InputError
from normlaw_registry.errors import brief

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.elsewhere.sources import Kind


class Imported(tuple[int, int]):
    """How many curves were logged, and how many were there already.

    Attributes:
        notes: what was left out, or should be looked at; a sentence each.

    """

    notes: tuple[str, ...]

    def __new__(cls, logged: int, there: int, notes: Sequence[str] = ()) -> Imported:
        """Return the pair."""
        made = super().__new__(cls, (logged, there))
        made.notes = tuple(notes)
        return made


def import_curves(
    path: Path | str,
    study: str,
    *,
    kind: Kind | None = None,
    experiment: str | None = None,
    take: Mapping[str, str] | Path | str | None = None,
    tracking_uri: str | None = None,
) -> Imported:
    """Log curves from elsewhere into a study; `normlaw import`.

    Args:
        path: a CSV or Parquet file with the columns that `curves` returns, or of the form that `fit` takes; an
            archive; a folder of TensorBoard's event files or of Lightning's `CSVLogger`; an MLflow store, by
            its URI or SQLite file.
        study: the study's name; made when there is none.
        kind: what `path` is: table, archive, tensorboard, lightning, mlflow (anyone's runs) or store (normlaw's
            own, which are copied); default: found out.
        experiment: of an MLflow store, the experiment; default: the one called as the study.
        take: what another program calls what normlaw needs, such as {"train_size": "n", "test/error":
            "1 - val_acc", "log_norm/weight_norm": "log(norm)"}, or a YAML file of that form; of a table, its
            columns. See docs/logged.md.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Returns:
        How many curves were logged, and how many were there already; `.notes` has what was left out.

    Raises:
        InputError: the source cannot be used (says where and why: what is missing is named), a study cannot
            be called so, or no server answers.

    """
    from normlaw.elsewhere.sources import checked_kind, kind_of
    from normlaw.verbs import _importing as ways

    study_name(study)
    found = kind_of(str(path)) if kind is None else checked_kind(kind)
    if found in ("server", "mlflow", "store"):
        taken = ways.taking_of(take)
        return Imported(*ways.server(str(path), found, study, experiment or study, taken, tracking_uri))
    if experiment is not None:
        raise InputError(f"{path} is no MLflow store, and has no experiment {brief(experiment)}")
    if found in ("tensorboard", "lightning"):
        return Imported(*ways.folders(Path(path), found, study, ways.taking_of(take), tracking_uri))
    if found == "archive":
        if take:
            raise InputError(
                f"{path}: the runs of an archive are copied as they are, and nothing is taken of them"
            )
        return Imported(*ways.archive(Path(path), study, tracking_uri))
    if (taken := ways.taking_of(take, of_table=True)) is not None:
        return Imported(*ways.table(Path(path), study, taken, tracking_uri))
    return Imported(*_table(Path(path), study, tracking_uri))


def _table(path: Path, study: str, tracking_uri: str | None) -> tuple[int, int]:
    from normlaw.analysis.curves_file import read_table
    from normlaw.analysis.frame_file import read_frame
    from normlaw.tracking import imported
    from normlaw.tracking.client import connect

    found = read_frame(path)
    curves, settings = (wide(read_table(path), path), []) if found is None else found
    return imported.import_curves(connect(tracking_uri), study, curves, path.name, settings)


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
