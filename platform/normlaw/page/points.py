"""The points of a view: of one setting, against what the reader has chosen, with what is to be averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from normlaw.analysis.columns import PREFIX
from normlaw.page.curves import Curves
from normlaw.page.view import RESPONSES, View
from normlaw.tracking.keys import THEORY_NORM
from normlaw.tracking.settings import label, with_theory
from normlaw.tracking.study_run import StudyRun, unit_of
from normlaw_registry import InputError
from normlaw_registry.errors import suggestion

CLOCKS = {"step": "optimiser step", "epoch": "epoch"}
"""What curves can stand against besides norms."""


@dataclass(frozen=True)
class Setting:
    """Runs whose curves one law describes."""

    name: str
    """What tells them from the study's others; empty where there are none."""
    runs: tuple[StudyRun, ...]

    @property
    def exact(self) -> bool:
        """Whether the curves are a theory's."""
        return any(run.kind == "theory" for run in self.runs)

    @property
    def unit(self) -> str:
        """What train sizes count."""
        return unit_of(self.runs)


def settings_of(curves: Curves) -> list[Setting]:
    """Return the settings of a study in order of appearance, theories' last; failed runs have no part."""
    runs = [run for run in curves.runs if run.status != "FAILED"]
    exact = [run for run in runs if run.kind == "theory"]
    groups = with_theory([run for run in runs if run.kind != "theory"], exact)
    return [Setting(label(setting), tuple(members)) for setting, members in groups]


def chosen_setting(settings: list[Setting], view: View) -> Setting:
    """Return the setting that a view shows: the one it names, else the first.

    Raises:
        InputError: there is none of that name.

    """
    for setting in settings:
        if setting.name == view.setting or not view.setting:
            return setting
    raise InputError(f"no setting {view.setting!r}: {suggestion(view.setting, [s.name for s in settings])}")


def points_in(curves: Curves, setting: Setting) -> pd.DataFrame:
    """Return the points of a setting, with the columns in which they have any number."""
    if curves.points.empty:
        return curves.points
    own = curves.points[curves.points["run"].isin([run.spec_hash for run in setting.runs])]
    return own.dropna(axis="columns", how="all")


def abscissas(points: pd.DataFrame, *, exact: bool = False) -> dict[str, str]:
    """Return what curves can stand against, by column, as a reader reads it: norms first, then clocks.

    Args:
        points: of a setting, or of a study.
        exact: whether the curves are a theory's, whose axes and observables stand where norms do.

    """
    names = [name.removeprefix(PREFIX) for name in map(str, points.columns) if name.startswith(PREFIX)]
    if exact:
        norms = {f"{PREFIX}{name}": "norm" if name == THEORY_NORM else name.replace("_", " ") for name in names}
    else:
        norms = {f"{PREFIX}{name}": f"norm {name}" for name in names}
    return norms | {name: shown for name, shown in CLOCKS.items() if name in points.columns}


def responses(points: pd.DataFrame) -> list[str]:
    """Return what can be drawn of curves: test_error, test_loss or both."""
    return [name for name in RESPONSES if name.replace("_", "/") in points.columns]


def points_of(own: pd.DataFrame, setting: Setting, view: View, x: str, response: str) -> pd.DataFrame:
    """Return the points of a view, sorted along each run.

    Args:
        own: the points of the setting.
        setting: the one that is shown.
        view: which train sizes and seeds are wanted.
        x: the column that is across.
        response: test_error or test_loss.

    Returns:
        Columns run, name, status, train_size, seed, log_norm (natural log of what is across), test_error (the
        response), log_error. Points without logarithm are left out.

    Raises:
        InputError: the study has no such column.

    """
    column = response.replace("_", "/")
    for name in (x, column):
        if name not in own.columns:
            raise InputError(f"{name!r} was not measured here: {suggestion(name, [*abscissas(own), column])}")
    runs: Mapping[str, StudyRun] = {run.spec_hash: run for run in setting.runs}
    frame = own
    for name, wanted in (("train_size", view.sizes), ("seed", view.seeds)):
        if wanted:
            frame = frame[frame[name].isin(wanted)]
    across = frame[x].to_numpy(np.float64)
    value = frame[column].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_norm = across if x.startswith(PREFIX) else np.log(across)
        log_error = np.log(value)
    points = pd.DataFrame(
        {
            "run": frame["run"].to_numpy(),
            "train_size": frame["train_size"].to_numpy(np.int64),
            "seed": frame["seed"].to_numpy(),
            "log_norm": log_norm,
            "test_error": value,
            "log_error": log_error,
        }
    )
    points = points[np.isfinite(log_norm) & np.isfinite(log_error)]
    points["name"] = points["run"].map({run: one.name for run, one in runs.items()})
    points["status"] = points["run"].map({run: one.status for run, one in runs.items()})
    order = ["train_size", "run", "log_norm"]
    return pd.DataFrame(points.sort_values(order, kind="stable").reset_index(drop=True))


def averaged(points: pd.DataFrame) -> pd.DataFrame:
    """Return the points that mean curves are made of: of each train size its finished runs, if it has any.

    A run in training ends earlier than the others, and a mean over it would end or jump there.
    """
    finished = points["status"] == "FINISHED"
    some = finished.groupby(points["train_size"]).transform("any")
    return points[finished | ~some].reset_index(drop=True)


def single_runs(points: pd.DataFrame, *, every: bool) -> pd.DataFrame:
    """Return the points of the runs that are drawn one by one: those in training, or every one."""
    return points if every else points[points["status"] == "RUNNING"]
