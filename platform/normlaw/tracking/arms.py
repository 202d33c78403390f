"""Part a study's runs into trunks with their arms: the same in all but train_size, seed and intervention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normlaw.study.intervention import FREE
from normlaw.study.listed import MEASURES
from normlaw.tracking.settings import SHARED_BY_A_LAW, params_of, parted

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.tracking.study_run import StudyRun

INTERVENTION = "intervention."


def arm_settings(runs: Sequence[StudyRun]) -> list[tuple[dict[str, str], list[StudyRun]]]:
    """Return the trunks and arms of each setting, with the fewest parameters that tell it from the others."""
    apart = {*SHARED_BY_A_LAW, MEASURES, "arm", "intervention"}
    listed = {name for run in runs for name in params_of(run)} - apart
    names = sorted(
        (name for name in listed if not name.startswith(INTERVENTION)),
        key=lambda name: (name.removesuffix(".name"), name),
    )
    return parted(runs, names)


def arm_of(run: StudyRun) -> str:
    """Return the name of a run's arm."""
    return run.params.get("arm", FREE)


def interventions_of(runs: Sequence[StudyRun]) -> dict[str, dict[str, str]]:
    """Return what each arm changes, as it is listed, by its name; the free one left out."""
    found = {}
    for run in runs:
        own = {k.removeprefix(INTERVENTION): v for k, v in run.params.items() if k.startswith(INTERVENTION)}
        if arm_of(run) != FREE:
            found[arm_of(run)] = own
    return found


def with_arms(curves: pd.DataFrame, runs: Sequence[StudyRun]) -> pd.DataFrame:
    """Return the curves of runs with the name of each one's arm as a column."""
    return curves.assign(arm=curves["run"].map({run.spec_hash: arm_of(run) for run in runs}))
