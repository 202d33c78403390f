"""Trained runs set against the theory that says which of its curves each is to lie on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from normlaw.analysis import Analysis, NotFittedError, Options
from normlaw.analysis import analyse as fit_laws
from normlaw.analysis.on_theory.agreement import Agreement, TrainedRun, agreement
from normlaw.analysis.on_theory.laws import Laws, laws
from normlaw.analysis.on_theory.text import render
from normlaw.analysis.on_theory.writing import write
from normlaw.study.names import path_part
from normlaw.tracking import keys
from normlaw.tracking.analysis_log import LoggedAnalysis
from normlaw.tracking.archive_origin import ArchiveOrigin
from normlaw.tracking.settings import by_setting, label, params_of, shared_settings
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import StudyRun
from normlaw.tracking.tidy import tidy
from normlaw.verbs._compared import Compared
from normlaw_registry import Catalogue, Counterpart, Theory, load_catalogue

Groups = Sequence[tuple[str, list[StudyRun], pd.DataFrame]]
"""The label of each setting, its runs and their curves."""
NORM = "norm"
"""Observable whose column says in which measure the laws are read."""


def compare_with_counterparts(
    store: StudyStore | ArchiveOrigin,
    reports: Path,
    fitted: Mapping[str, Analysis | None] | None = None,
    options: Options | None = None,
    catalogue: Catalogue | None = None,
) -> Iterator[Compared]:
    """Yield a comparison for each theory that has a counterpart for some of a study's runs.

    Args:
        store: the study.
        reports: the results are written to STUDY/against_THEORY in it.
        fitted: the laws of each setting, None for one that has none; by default they are fitted here.
        options: how they were fitted.
        catalogue: where theories come from.

    """
    catalogue = catalogue or load_catalogue()
    options = (options or Options()).within(store.choices)
    known_runs = store.finished("training", "imported")
    settings = by_setting(known_runs)  # as laws are fitted to them
    for name in catalogue.names(Theory):
        theory = catalogue.get(Theory, name)
        found = {run.spec_hash: c for run in known_runs if (c := _counterpart(theory, run)) is not None}
        if not found:
            continue
        parted = ((setting, [run for run in runs if run.spec_hash in found]) for setting, runs in settings)
        groups = [(label(setting), runs, store.curves(runs)) for setting, runs in parted if runs]
        compared = agreement(theory, list(_runs(groups, found)))
        if compared.points.empty:
            continue
        known = fitted if fitted is not None else _fitted(groups, found, catalogue, options)
        members = [run for _, runs, _ in groups for run in runs]
        yield _written(store, members, compared, laws(compared, known, catalogue, options), reports)


def _counterpart(theory: Theory, run: StudyRun) -> Counterpart | None:
    of_run = theory.of_run if run.kind == "training" else None
    return None if of_run is None else of_run(params_of(run))


def _runs(groups: Groups, found: Mapping[str, Counterpart]) -> Iterator[TrainedRun]:
    for setting, _, curves in groups:
        for which, curve in curves.groupby("run", sort=False):
            yield TrainedRun(setting, found[str(which)], curve)


def _fitted(
    groups: Groups, found: Mapping[str, Counterpart], catalogue: Catalogue, options: Options
) -> dict[str, Analysis | None]:
    """Return the laws of each setting in the norm that the theory reads."""
    laws_of: dict[str, Analysis | None] = {}
    for setting, runs, curves in groups:
        column = found[runs[0].spec_hash].reads.get(NORM, ("", 1.0))[0]
        laws_of[setting] = None
        if column in curves.columns:
            points, _ = tidy(curves, column.removeprefix(keys.log_norm("")))
            try:
                laws_of[setting] = fit_laws(points, catalogue, options)
            except NotFittedError:
                continue
    return laws_of


def _written(
    store: StudyStore | ArchiveOrigin,
    members: list[StudyRun],
    compared: Agreement,
    found: Laws,
    reports: Path,
) -> Compared:
    """Write report, tables and figures, log them as a run of the study, and return what was found."""
    text, command = render(compared, found), f"normlaw analyse {store.name}"
    title = f"{store.name} against the theory {compared.theory.name}"
    folder = reports / path_part(store.name) / f"against_{path_part(compared.theory.name)}"
    drawn = write(compared, found, text, folder, title, command)
    numbers = {
        f"rms_z/{row['observable']}/{row['setting']}".rstrip("/").replace("=", "-"): float(row["rms_z"])
        for row in compared.scores().to_dict("records")
    }
    logged = LoggedAnalysis(
        name=f"{store.name} against {compared.theory.name}",
        metrics=numbers,
        params={**shared_settings(members), "theory": compared.theory.name},
        folder=folder,
        note=["```", *text.splitlines(), "```"],
        figures={name: name.replace("_", " ") for name in drawn},
        command=command,
    )
    return Compared(compared, text, folder, store.log_analysis(logged))
