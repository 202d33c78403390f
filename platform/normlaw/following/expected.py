"""The runs that a study is to have, as far as its progress is told by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from normlaw.study.expansion import planned_runs
from normlaw.study.identity import SCHEMA
from normlaw.study.listed import listing, settled
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking import keys
from normlaw_registry import Catalogue

if TYPE_CHECKING:
    from normlaw.tracking.study_run import StudyRun


@dataclass(frozen=True)
class Expected:
    """One run that is to be trained."""

    name: str
    spec: RunSpec


def expected_runs(study: Study, catalogue: Catalogue) -> dict[str, Expected]:
    """Return the runs of a study by their hashes, in its order; none of one that loops of one's own train.

    Raises:
        InputError: the study, or a component that it names, is wrong or not installed.

    """
    if study.observed:
        return {}
    return {
        spec_hash: Expected(study.run_name(plan.spec), plan.spec)
        for spec_hash, plan in planned_runs(study, catalogue).items()
    }


def as_expected(runs: Iterable[StudyRun], expected: Mapping[str, Expected]) -> list[StudyRun]:
    """Return runs at MLflow under the hashes that they have now: an earlier version's went by others."""
    found = list(runs)
    if all(_is_present(run) for run in found):
        return found
    alike = {settled(listing(one.spec)): spec_hash for spec_hash, one in expected.items()}
    return [
        run if _is_present(run) else replace(run, spec_hash=alike.get(settled(run.params), run.spec_hash))
        for run in found
    ]


def _is_present(run: StudyRun) -> bool:
    return run.kind != "training" or run.tags.get(keys.SCHEMA) == str(SCHEMA)
