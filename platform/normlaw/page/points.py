"""The points of a view: of one setting, against what the reader has chosen, with what is to be averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from normlaw.analysis.columns import PREFIX
from normlaw.page.curves import Curves
from normlaw.page.view import View
from normlaw.tracking.settings import by_setting, label
from normlaw.tracking.study_run import StudyRun
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


def settings_of(curves: Curves) -> list[Setting]:
    """Return the settings of a study in order of appearance; failed runs have no part."""
    runs = [run for run in curves.runs if run.status != "FAILED"]
    return [Setting(label(setting), tuple(members)) for setting, members in by_setting(runs)]


def chosen_setting(settings: list[Setting], view: View) -> Setting:
    """Return the setting that a view shows: the one it names, else the first.

    Raises:
        InputError: there is none of that name.

    """
    for setting in settings:
        if setting.name == view.setting or not view.setting:
            return setting
    raise InputError(f"no setting {view.setting!r}: {suggestion(view.setting, [s.name for s in settings])}")


def abscissas(curves: Curves) -> dict[str, str]:
    """Return what the curves can stand against, by column, as a reader reads it: norms first, then clocks."""
    columns = map(str, curves.points.columns)
    norms = {column: f"norm {column.removeprefix(PREFIX)}" for column in columns if column.startswith(PREFIX)}
    return norms | {name: told for name, told in CLOCKS.items() if name in curves.points.columns}


def points_of(curves: Curves, setting: Setting, view: View, x: str) -> pd.DataFrame:
    """Return the points of a view, sorted along each run.

    Returns:
        Columns run, name, status, train_size, seed, log_norm (natural log of what is across), test_error (the
        response), log_error. Points without logarithm are left out.

    Raises:
        InputError: the study has no such column.

    """
    known = abscissas(curves)
    response = (view.response or "test_error").replace("_", "/")
    for name in (x, response):
        if name not in curves.points.columns:
            raise InputError(f"{name!r} was not measured in this study: {suggestion(name, [*known, response])}")
    runs: Mapping[str, StudyRun] = {run.spec_hash: run for run in setting.runs}
    frame = curves.points[curves.points["run"].isin(list(runs))]
    for column, wanted in (("train_size", view.sizes), ("seed", view.seeds)):
        if wanted:
            frame = frame[frame[column].isin(wanted)]
    across = frame[x].to_numpy(np.float64)
    value = frame[response].to_numpy(np.float64)
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
