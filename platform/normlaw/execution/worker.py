"""What a worker process does: train one stack of runs after another, each run into its journal."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.execution.job import Job, Outcome, Progress, Stack
from normlaw.spec import RunSpec
from normlaw.tracking.journal import Journal, JournalInUseError, journal_path, read_journal
from normlaw_registry import NormlawError, load_catalogue

if TYPE_CHECKING:
    from normlaw.training.checkpoints import Checkpoints
    from normlaw.training.state import State

Report = Callable[[Progress], None]
Stopped = Callable[[], bool]


def work(stack: Stack, job: Job, report: Report, stopped: Stopped) -> list[Outcome]:
    """Train each run of a stack into its journal; never raises, so that one failed run stops no other.

    A run whose journal is finished is not trained again; one with a checkpoint goes on from there.

    Args:
        stack: the runs.
        job: what all runs of a launch have in common.
        report: is told of each measurement, once it is in the journal.
        stopped: whether the user has asked to stop; each run then ends at its next measuring point.

    """
    return [_work(spec, job, report, stopped) for spec in stack]


def checkpoint_folder(home: Path, study: str, spec_hash: str) -> Path:
    """Return where the checkpoints of a run lie."""
    return home / "checkpoints" / study / spec_hash


def _work(spec: RunSpec, job: Job, report: Report, stopped: Stopped) -> Outcome:
    try:
        with Journal(journal_path(job.home, job.study, spec.spec_hash)) as journal:
            record = read_journal(journal.path)
            if record is not None and record.status == "finished":
                return Outcome(spec.spec_hash)
            return _train_into(journal, spec, job, report, stopped)
    except JournalInUseError as error:
        return Outcome(spec.spec_hash, str(error), elsewhere=True)
    except NormlawError as error:
        return Outcome(spec.spec_hash, str(error))


def _train_into(journal: Journal, spec: RunSpec, job: Job, report: Report, stopped: Stopped) -> Outcome:
    from normlaw.execution.recorder import Recorder, StopRequestedError
    from normlaw.training.checkpoints import Checkpoints
    from normlaw.training.loop import train

    checkpoints = Checkpoints(checkpoint_folder(job.home, job.study, spec.spec_hash), _identity(spec, job))
    state = _state_to_go_on_from(checkpoints, journal, spec)
    if state is None:
        journal.start(spec, job.environment)
    recorder = Recorder(spec, job, journal, checkpoints, report, stopped)
    try:
        train(spec, load_catalogue(), folder=job.folder, device=job.device, observer=recorder, resume=state)
    except StopRequestedError:
        return Outcome(spec.spec_hash, stopped=True)
    except NormlawError as error:
        failure = str(error)
    except Exception as error:  # a plugin's own code may fail in any way
        place = traceback.extract_tb(error.__traceback__)[-1]
        failure = f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno})"
    else:
        journal.end("finished")
        checkpoints.clear()
        return Outcome(spec.spec_hash)
    journal.end("failed", failure)
    return Outcome(spec.spec_hash, failure)


def _identity(spec: RunSpec, job: Job) -> str:
    """Return what a run's bits depend on; a checkpoint is not gone on from with anything else."""
    programs = {key: job.environment.get(key) for key in ("python", "packages", "plugins", "device")}
    return json.dumps([spec.spec_hash, programs], sort_keys=True)


def _state_to_go_on_from(checkpoints: Checkpoints, journal: Journal, spec: RunSpec) -> State | None:
    """Return the newest state whose measurements the journal has; the journal is cut back to it."""
    return next((state for state in checkpoints.states() if journal.go_on_after(state.step, spec)), None)
