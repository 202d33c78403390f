"""Part a study's runs into ladders: the same in all but the seed, and the size with what follows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normlaw.study.listed import MEASURES
from normlaw.tracking.settings import params_of, parted
from normlaw_registry import InputError
from normlaw_registry.errors import suggestion

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.tracking.study_run import StudyRun

NO_SETTING = ("seed", "source")


def ladders(runs: Sequence[StudyRun], over: str) -> list[tuple[dict[str, str], list[StudyRun]]]:
    """Return the runs of each ladder, with the fewest parameters that tell it from the others.

    A parameter that has one value for each size, such as the steps that suit a width, is part of the size.

    Args:
        runs: of a study.
        over: the parameter that holds the sizes, as MLflow lists it.

    Raises:
        InputError: some run lacks the parameter; names those that vary.

    """
    known = [params_of(run) for run in runs]
    names = sorted({name for params in known for name in params} - {*NO_SETTING, MEASURES})
    varied = [name for name in names if len({params.get(name, "") for params in known}) > 1]
    if any(over not in params for params in known):
        raise InputError(f"collapse: runs lack the parameter {over!r}: {suggestion(over, varied)}")
    sizes = {params[over] for params in known}
    free = [
        name for name in varied if len({(params[over], params.get(name, "")) for params in known}) > len(sizes)
    ]
    return parted(runs, free)


def with_sizes(curves: pd.DataFrame, runs: Sequence[StudyRun], over: str) -> pd.DataFrame:
    """Return the curves of a ladder's runs with the parameter that holds the sizes as a column."""
    return curves.assign(**{over: curves["run"].map({run.spec_hash: params_of(run)[over] for run in runs})})
