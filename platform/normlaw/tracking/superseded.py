"""Which runs of a study another one has taken the place of: what `normlaw clean` deletes.

Analyses that are made again are deleted at once, as the new one is logged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from normlaw.study.identity import lacking
from normlaw.study.listed import settled
from normlaw.tracking import keys
from normlaw.tracking.study_run import StudyRun, finished

UNFINISHED = ("FAILED", "KILLED")
"""Statuses of attempts that came to no end; a run that is RUNNING may be in training."""
CHOICES = ("norm", "protocol", "response", "floor")
MORE_CHOICES = (
    *("confidence", "from_norm", "from_train_size"),
    *("hold_out", "predict_at", "compare_norms", "fitters", "collapse", "collapse_over"),
)
"""Parameters of an analysis that say what it was asked, these where they are not at their defaults; so do those
of the protocol, `protocol.NAME`."""


@dataclass(frozen=True)
class Superseded:
    """A run that another one has taken the place of."""

    study: str
    run: StudyRun
    by: str
    """Id of the other one."""
    reason: str
    used_by: str = ""
    """Why it is kept all the same: the analysis that used it; empty where none did."""


def superseded(study: str, curves: Sequence[StudyRun], analyses: Sequence[StudyRun]) -> list[Superseded]:
    """Return a study's superseded runs.

    - A run that is finished, where another one of the same identity is too and measured all that it measured.
    - A failed or killed attempt at a run that is finished.
    - An analysis that was made again later: of the same setting, with the same choices.

    Curves that an analysis used which is not superseded itself are marked so. It used, of those that were
    finished when it began, the ones that `study_run.finished` takes.

    Args:
        study: its name.
        curves: its runs of other kinds than analyses, oldest first.
        analyses: its analyses, oldest first.

    """
    twins = list(made_again(study, analyses))
    gone = {found.run.run_id for found in twins}
    used: dict[str, str] = {}
    for analysis in analyses:
        if analysis.run_id not in gone and analysis.status == "FINISHED":
            before = [run for run in curves if (run.end_time or analysis.start_time) < analysis.start_time]
            for run in finished(before, analysis.norm):
                used[run.run_id] = f"{analysis.name} of {day(analysis)}"
    marked = [
        Superseded(study, run, by, reason, used.get(run.run_id, "")) for run, by, reason in _curves(curves)
    ]
    return [*marked, *twins]


def day(run: StudyRun) -> str:
    """Return the day on which a run began."""
    return f"{datetime.fromtimestamp(run.start_time / 1000, UTC):%Y-%m-%d}"


def _curves(runs: Iterable[StudyRun]) -> Iterator[tuple[StudyRun, str, str]]:
    alike: defaultdict[Hashable, list[StudyRun]] = defaultdict(list)
    for run in runs:
        alike[run.kind, settled(run.params) if run.kind == "training" else run.spec_hash].append(run)
    for same in alike.values():
        if not (best := finished(same)):
            continue
        (kept,) = best
        for run in same:
            if run.run_id == kept.run_id:
                continue
            if run.status in UNFINISHED:
                yield run, kept.run_id, f"{run.status.lower()}; done as {kept.run_id}"
            elif run.status == "FINISHED" and not lacking(run.measures, kept.measures):
                yield run, kept.run_id, f"done again, with all that it measured, as {kept.run_id}"


def made_again(study: str, runs: Iterable[StudyRun]) -> Iterator[Superseded]:
    """Yield the analyses, given oldest first, that were made again later."""
    alike: defaultdict[Hashable, list[StudyRun]] = defaultdict(list)
    known = (*CHOICES, *MORE_CHOICES)
    for run in runs:
        asked = {k: value for k, value in run.params.items() if k in known or k.startswith("protocol.")}
        alike[run.name.removesuffix(keys.NOT_FITTED), run.norm, frozenset(asked.items())].append(run)
    for same in alike.values():
        for i, run in enumerate(same):
            later = [other for other in same[i + 1 :] if other.status == "FINISHED"]
            if _found_nothing(run):
                by = later
            elif run.status in ("FINISHED", *UNFINISHED):
                by = [other for other in later if not _found_nothing(other)]
            else:
                by = []
            if by:
                yield Superseded(study, run, by[-1].run_id, f"made again on {day(by[-1])} as {by[-1].run_id}")


def _found_nothing(run: StudyRun) -> bool:
    return run.name.endswith(keys.NOT_FITTED) and run.status == "FINISHED"
