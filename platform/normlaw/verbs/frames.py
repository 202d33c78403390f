"""What MLflow holds of a study, as tidy data frames."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from normlaw.analysis.curves_file import DEFAULT_MEASURE
from normlaw.study.protocol_choice import OwnChoices
from normlaw.tracking import keys
from normlaw.tracking.client import connect
from normlaw.tracking.reader import find_experiment, read_curves, search_runs
from normlaw.tracking.same import finished
from normlaw.tracking.settings import by_setting
from normlaw.verbs.analyse import tidy
from normlaw.verbs.report import analyses_of
from normlaw_registry import InputError

SETTINGS = "normlaw.settings"
"""Attribute of a frame of curves: the columns in which its runs differ besides train_size and seed."""


def runs_frame(study: str, kinds: Sequence[str], tracking_uri: str | None) -> pd.DataFrame:
    """Return a study's runs, a row a run; see `normlaw.runs`."""
    client = connect(tracking_uri, "read")
    experiment = find_experiment(client, study)
    rows = [
        {
            "run": run.data.tags.get(keys.SPEC_HASH),
            "run_id": run.info.run_id,
            "name": run.info.run_name,
            "kind": kind,
            "status": run.info.status,
            "start_time": pd.Timestamp(run.info.start_time, unit="ms", tz="UTC"),
            **run.data.params,
            **run.data.metrics,
        }
        for kind in kinds
        for run in search_runs(client, experiment, kind)
    ]
    frame = pd.DataFrame(rows)
    for column in ("train_size", "seed"):
        if column in frame:
            frame[column] = pd.to_numeric(frame[column]).astype("Int64")
    return frame


def curves_frame(study: str, kinds: Sequence[str], tracking_uri: str | None) -> pd.DataFrame:
    """Return the curves of a study's finished runs; see `normlaw.curves`."""
    client = connect(tracking_uri, "read")
    experiment = find_experiment(client, study)
    measured = finished(run for kind in kinds for run in search_runs(client, experiment, kind))
    if not measured:
        raise InputError(f"study {study!r} has no finished runs of kind {' or '.join(kinds)}")
    frame = read_curves(client, measured)
    settings = {
        run.data.tags[keys.SPEC_HASH]: setting for setting, runs in by_setting(measured) for run in runs
    }
    names = list(next(iter(settings.values())))
    for name in names:
        frame[name] = frame["run"].map({spec_hash: setting[name] for spec_hash, setting in settings.items()})
    first = ["run", "train_size", "seed", *names, "step"]
    frame = frame[first + [column for column in frame.columns if column not in first]]
    frame.attrs[SETTINGS] = names
    frame.attrs[keys.NORM] = experiment.tags.get(keys.NORM)
    frame.attrs[keys.ANALYSIS] = experiment.tags.get(keys.ANALYSIS)
    return frame


def own_choices(curves: pd.DataFrame) -> OwnChoices | None:
    """Return what the study of these curves says about its analysis; None: nothing."""
    return keys.read_analysis_tag({keys.ANALYSIS: str(curves.attrs.get(keys.ANALYSIS) or "")})


def of_one_norm(curves: pd.DataFrame, norm: str | None) -> pd.DataFrame:
    """Return the columns that an analysis takes, from a frame of curves or one that has them already.

    Raises:
        InputError: the curves differ in more than train_size and seed, or the norm was not measured.

    """
    if "log_norm" in curves.columns:
        return curves
    for name in curves.attrs.get(SETTINGS, ()):
        values = list(curves[name].unique())
        if len(values) > 1:
            raise InputError(
                f"the curves belong to {len(values)} values of {name!r} ({', '.join(map(str, values))}), and "
                f"laws are fitted to one: choose it by curves[curves[{name!r}] == ...]"
            )
    return tidy(curves, norm or curves.attrs.get(keys.NORM))[0]


def is_own_norm(curves: pd.DataFrame, norm: str | None) -> bool:
    """Return whether `of_one_norm` takes the norm that the study of these curves names."""
    return norm in (None, curves.attrs.get(keys.NORM))


def name_of_norm(curves: pd.DataFrame, norm: str | None) -> str:
    """Return the measure that `of_one_norm` takes from the same arguments."""
    if "log_norm" in curves.columns:
        return norm or DEFAULT_MEASURE
    return tidy(curves, norm or curves.attrs.get(keys.NORM))[1]


def results_frame(studies: Sequence[str], tracking_uri: str | None) -> pd.DataFrame:
    """Return the exponents of the latest analyses; see `normlaw.results`."""
    rows = [
        {"analysis": name, "norm": found["norm"], "exponent": exponent, **estimate}
        for name, found in analyses_of(studies, tracking_uri).items()
        for exponent, estimate in found["estimates"].items()
    ]
    return pd.DataFrame(rows)
