"""One run being worked on: its journal is held, and it begins, or goes on from its newest checkpoint."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from normlaw.base.failures import Failure
from normlaw.execution.forks import ForkStates, fork_folder, key_of
from normlaw.execution.job import Job, Outcome, Progress
from normlaw.study.home import journal_path
from normlaw.study.intervention import Moment
from normlaw.study.spec import RunSpec
from normlaw.tracking import earlier
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import JournalError, is_done, journal_status, read_journal
from normlaw_registry import NormlawError

if TYPE_CHECKING:
    from normlaw.execution.recorder import Recorder
    from normlaw.training.checkpoints import Checkpoints
    from normlaw.training.state import TrainingState

OnProgress = Callable[[Progress], None]
Stopped = Callable[[], bool]


def checkpoint_folder(home: Path, study: str, spec_hash: str) -> Path:
    """Return where the checkpoints of a run lie."""
    return home / "checkpoints" / study / spec_hash


def clear_checkpoints(home: Path, study: str, finished: Iterable[str]) -> None:
    """Remove the checkpoints of finished runs that a kill has left behind."""
    for spec_hash in finished:
        shutil.rmtree(checkpoint_folder(home, study, spec_hash), ignore_errors=True)


class Attempt:
    """Holds a run's journal while the run is trained; nobody else can train it meanwhile.

    Raises:
        JournalInUseError: another process is training the run.
        NewerSchemaError: a newer version wrote its journal, or a checkpoint.
        NormlawError: the journal's folder cannot be written to.

    """

    def __init__(self, spec: RunSpec, job: Job, report: OnProgress, stopped: Stopped) -> None:
        self.spec = spec
        self._job, self._report, self._stopped = job, report, stopped
        self._name = job.name(spec.spec_hash)
        folder = checkpoint_folder(job.home, job.study, self._name)
        self._checkpoints = _checkpoints(folder, self._name, job)
        self._checkpoints.require_known()
        with suppress(JournalError):  # what is damaged is written anew
            read_journal(job.journal(spec.spec_hash), start_only=True)
        self._journal = Journal(job.journal(spec.spec_hash))

    def __enter__(self) -> Self:
        """Return the attempt itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the journal."""
        self._journal.__exit__()

    @property
    def finished(self) -> bool:
        """Whether the run has been trained to its end already, and all measured that is to be."""
        return is_done(self._journal.path, self.spec)

    def begin(self) -> TrainingState | None:
        """Return the newest state whose measurements the journal has, which is cut back to it.

        A curve that is whole but lacks a measure is kept beside until the new one is.

        Returns:
            None where there is none: the journal is begun anew.

        """
        for state in self._checkpoints.states():
            if self._journal.go_on_after(state.step, self.spec):
                self._journal.worker(self._worker)
                return state
        if (left := self._state_of_trunk()) is not None:
            return left
        if self._name != self.spec.spec_hash:
            self._begin_under_its_own_name()
        elif journal_status(self._journal.path) == "finished":
            earlier.set_aside(self._journal.path)
        self._journal.start(self.spec, self._job.environment)
        self._journal.worker(self._worker)
        return None

    @property
    def _worker(self) -> str:
        """Who trains the run, as those who look at it from outside tell workers apart."""
        return f"{platform.node()} {self._job.worker or os.getpid()}"

    def _state_of_trunk(self) -> TrainingState | None:
        """Return the trunk's state where this run leaves it; the journal has what was measured up to there."""
        trunk, start = self.spec.trunk, self.spec.intervention.start
        if trunk is None or start is None or self._journal.path.stat().st_size:
            return None
        job = self._job
        for state in _fork(job, trunk.spec_hash, start).states():
            if self._journal.leave(job.journal(trunk.spec_hash), trunk, state.step, self.spec, job.environment):
                return state
        return None

    def _begin_under_its_own_name(self) -> None:
        """Leave what an earlier version began and cannot be gone on with."""
        former, leftover = self._journal, self._checkpoints
        self._name = self.spec.spec_hash
        self._journal = Journal(journal_path(self._job.home, self._job.study, self._name))
        folder = checkpoint_folder(self._job.home, self._job.study, self._name)
        self._checkpoints = _checkpoints(folder, self._name, self._job)
        leftover.clear()
        former.path.unlink(missing_ok=True)
        former.__exit__()

    def recorder(self) -> Recorder:
        """Return what is to be told of the run as it trains."""
        from normlaw.execution.recorder import Recorder

        moments = self._job.forks.get(self._name, ())
        record = read_journal(self._journal.path) if moments else None
        forks = ForkStates(
            [(moment, _fork(self._job, self._name, moment)) for moment in moments],
            [] if record is None else record.points,
        )
        return Recorder(
            self.spec, self._job, self._journal, self._checkpoints, self._report, self._stopped, forks
        )

    def end(self, error: BaseException | None) -> Outcome:
        """Note how the run ended: with an error, or without."""
        from normlaw.execution.recorder import StopRequestedError

        if isinstance(error, StopRequestedError):
            return Outcome(self.spec.spec_hash, stopped=True)
        try:
            if error is None:
                self._journal.end("finished")
                self._checkpoints.clear()
                earlier.drop(self._journal.path)
                return Outcome(self.spec.spec_hash)
            failure = Failure.of(error)
            if not earlier.give_back(self._journal.path):
                self._journal.end("failed", failure.reason, failure.traceback)
        except NormlawError as unwritable:
            failure = Failure(str(unwritable))
        return Outcome(self.spec.spec_hash, failure.reason, failure.traceback)


def lost(spec: RunSpec, job: Job, failure: Failure, *, by_itself: bool) -> Outcome:
    """Return the outcome of a run whose process died each time, and note it in its journal if need be.

    Args:
        spec: the run.
        job: what it has in common with the others.
        failure: how its process died.
        by_itself: by a fault of its own. A run whose process was killed has no end in its journal: it is gone
            on with the next time.

    """
    if by_itself:
        path = job.journal(spec.spec_hash)
        with suppress(NormlawError), Journal(path) as journal:
            if earlier.give_back(path) or journal_status(path) == "finished":
                return Outcome(spec.spec_hash, failure.reason, failure.traceback)
            if not journal.mend():
                journal.start(spec, job.environment)
            journal.end("failed", failure.reason, failure.traceback)
    return Outcome(spec.spec_hash, failure.reason, failure.traceback)


def _checkpoints(folder: Path, name: str, job: Job) -> Checkpoints:
    """Return a run's checkpoints, which are not gone on from with anything else that their bits depend on."""
    from normlaw.training.checkpoints import Checkpoints
    from normlaw.training.memory_format import RULE, untouched

    programs = {key: job.environment.get(key) for key in ("python", "packages", "plugins", "device")}
    identity, former = (json.dumps([name, programs, *rule], sort_keys=True) for rule in ((RULE,), ()))
    return Checkpoints(folder, identity, former, lambda state: untouched(state.network.values()))


def _fork(job: Job, trunk: str, moment: Moment) -> Checkpoints:
    """Return the state of a trunk at a fork."""
    key = key_of(moment)
    return _checkpoints(fork_folder(job.home, job.study, trunk) / key, f"{trunk} {key}", job)
