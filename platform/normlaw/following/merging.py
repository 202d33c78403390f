"""One account of a study out of what is planned, what journals hold, what MLflow has, and its launches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from normlaw.following.expected import Expected
from normlaw.following.journals import Seen
from normlaw.following.progress import LaunchProgress, Progress, RunProgress, State, WorkerProgress
from normlaw.following.time_left import seconds_left
from normlaw.study.identity import SCHEMA
from normlaw.study.observed import spec_of
from normlaw.study.spec import RunSpec
from normlaw.tracking import keys

if TYPE_CHECKING:
    from normlaw.tracking.study_run import StudyRun

AT_SERVER: Mapping[str, State] = {
    "FINISHED": "finished",
    "RUNNING": "running",
    "SCHEDULED": "waiting",
    "FAILED": "failed",
    "KILLED": "stopped",
}
RANK: tuple[State, ...] = ("waiting", "stopped", "failed", "running", "finished")
"""Of several accounts of one run the last in this order counts."""


def account(
    study: str,
    norm: str | None,
    *,
    expected: Mapping[str, Expected],
    journals: Mapping[str, Seen],
    at_server: Iterable[StudyRun] = (),
    launches: Sequence[LaunchProgress] = (),
    now: int,
    notes: Sequence[str] = (),
) -> Progress:
    """Return how far a study has come; pure.

    Args:
        study: its name.
        norm: the measure that its laws are read in.
        expected: the runs that it is to have, by their hashes; none where its file is not here.
        journals: those of this home, by name.
        at_server: the runs that MLflow has of it, oldest first.
        launches: those of this home, newest first.
        now: milliseconds since 1970.
        notes: what could not be seen, and why.

    """
    here: dict[str, RunProgress] = {}
    for name, seen in journals.items():
        run = of_journal(name, seen, norm, expected)
        here[run.run] = _better(here.get(run.run), run)
    there: dict[str, RunProgress] = {}
    for stored in at_server:
        run = of_server(stored, norm, expected)
        there[run.run] = _better(there.get(run.run), run)
    newest = launches[0] if launches and launches[0].at_work else None
    runs: list[RunProgress] = []
    for spec_hash in dict.fromkeys([*expected, *here, *there]):
        found = _of_both(here.get(spec_hash), there.get(spec_hash))
        if found is None:
            found = RunProgress(
                name=expected[spec_hash].name,
                run=spec_hash,
                state="waiting",
                steps=expected[spec_hash].spec.total_steps,
            )
        runs.append(_to_be_gone_on_with(found, newest) if spec_hash in expected else found)
    return Progress(
        study=study,
        norm=norm,
        looked=now,
        runs=tuple(runs),
        workers=_workers(runs, launches[0].name if launches else ""),
        launches=tuple(launches),
        seconds_left=seconds_left(runs),
        notes=tuple(notes),
    )


def of_journal(name: str, seen: Seen, norm: str | None, expected: Mapping[str, Expected]) -> RunProgress:
    """Return how far a run has come by its journal."""
    record = seen.glimpse.record
    if seen.glimpse.damage:
        planned = expected.get(name)
        return RunProgress(
            name=planned.name if planned else name,
            run=name,
            state="failed",
            reason=f"its journal cannot be read: {seen.glimpse.damage}",
            journal=str(seen.path),
        )
    steps, spec_hash, called = None, name, name
    try:
        spec = spec_of(record.spec)
        called = spec.run_name
        spec_hash = name if record.schema == SCHEMA else spec.spec_hash  # an earlier version's name is another
        steps = spec.total_steps if isinstance(spec, RunSpec) else None
    except ValidationError:  # made by a plugin or version that is gone: what it measured counts all the same
        pass
    planned = expected.get(spec_hash)
    last = record.points[-1] if record.points else {}
    state: State = record.status or ("running" if seen.held else "stopped")
    return RunProgress(
        name=planned.name if planned else called,
        run=spec_hash,
        state=state,
        step=int(last["step"]) if last else None,
        steps=steps,
        points=seen.glimpse.points,
        test_error=last.get("test/error"),
        log_norm=last.get(keys.log_norm(norm)) if norm else None,
        started=record.started,
        updated=record.last_time,
        reason=record.reason,
        traceback=record.traceback,
        journal=str(seen.path),
        worker=record.worker,
        launch=str(record.environment.get("launch") or ""),
    )


def of_server(stored: StudyRun, norm: str | None, expected: Mapping[str, Expected]) -> RunProgress:
    """Return how far a run has come by what MLflow has of it."""
    planned = expected.get(stored.spec_hash)
    epoch = stored.metrics.get("epoch")
    return RunProgress(
        name=planned.name if planned else stored.name,
        run=stored.spec_hash,
        state=AT_SERVER.get(stored.status, "stopped"),
        step=round(epoch * planned.spec.steps_per_epoch) if planned and epoch is not None else None,
        steps=planned.spec.total_steps if planned else None,
        test_error=stored.metrics.get("test/error"),
        log_norm=stored.metrics.get(keys.log_norm(norm)) if norm else None,
        started=stored.start_time,
        updated=stored.end_time,
        reason=stored.failure,
        launch=stored.launch,
        run_id=stored.run_id,
    )


def _better(before: RunProgress | None, run: RunProgress) -> RunProgress:
    """Return the account of a run that says more; of two that say the same the later one."""
    return before if before is not None and RANK.index(before.state) > RANK.index(run.state) else run


def _of_both(here: RunProgress | None, there: RunProgress | None) -> RunProgress | None:
    """Return one account of a run from its journal and from MLflow, which may be that of another machine."""
    if here is None or there is None:
        return here or there
    if there.state == "finished" and here.state != "finished":
        return there
    return replace(here, run_id=there.run_id)


def _to_be_gone_on_with(run: RunProgress, launch: LaunchProgress | None) -> RunProgress:
    """Return a run as one that waits, where a launch is at work that has not come to it again yet."""
    if launch is None or run.state not in ("stopped", "failed"):
        return run
    return replace(run, state="waiting") if (run.updated or 0) < launch.started else run


def _workers(runs: Sequence[RunProgress], launch: str) -> tuple[WorkerProgress, ...]:
    """Return what each worker of a launch, and each that is at a run now, does and has done."""
    of_worker: dict[str, list[RunProgress]] = {}
    for run in runs:
        if run.worker and (run.state == "running" or (launch and run.launch == launch)):
            of_worker.setdefault(run.worker, []).append(run)
    return tuple(
        WorkerProgress(
            name=name,
            running=tuple(run.name for run in own if run.state == "running"),
            finished=sum(run.state == "finished" for run in own),
            failed=sum(run.state == "failed" for run in own),
            updated=max((run.updated for run in own if run.updated is not None), default=None),
        )
        for name, own in sorted(of_worker.items())
    )
