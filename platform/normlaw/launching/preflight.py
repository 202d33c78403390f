"""Try out a study's runs before anything is trained: each combination of network, data set and norms once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from normlaw.base.failures import Failure
from normlaw.execution.process import MAX_ATTEMPTS, Died, Done, Failed, News, WorkerProcess
from normlaw.execution.signals import put_off
from normlaw.study.expansion import Planned
from normlaw.study.spec import Place, RunSpec
from normlaw.training.misfit import Misfit
from normlaw_registry import InputError, NormlawError, load_catalogue

TRIED = {"architecture", "dataset", "measures", "callbacks", "compute", "loss", "augmentation", "validation"}
"""Keys of a run in which two of the same combination agree."""


@dataclass
class Combination:
    """Runs that differ in nothing that could make one of them misfit and another not, but for their sizes."""

    runs: list[Planned] = field(default_factory=list)

    @property
    def largest(self) -> Planned:
        """The one with the most training examples."""
        return max(self.runs, key=lambda run: run.spec.train_size)

    @property
    def smallest(self) -> Planned:
        """The one with the fewest."""
        return min(self.runs, key=lambda run: run.spec.train_size)


@dataclass(frozen=True)
class Problem:
    """A combination that cannot be trained."""

    message: str
    """Where in the study, what, and why."""
    traceback: str
    runs: frozenset[str]
    """Hashes of the runs that it stops."""


def combinations(plans: Iterable[Planned]) -> list[Combination]:
    """Return the distinct combinations of a study's runs."""
    found: dict[str, Combination] = {}
    for planned in plans:
        spec = planned.spec
        tree = spec.model_dump(mode="json", include=TRIED)
        trained_by = [spec.trainer.name, spec.optimizer.name, spec.learning_rate_schedule.name]
        if spec.intervention.hold_norm is not None:
            trained_by.append(spec.intervention.hold_norm.of)
        found.setdefault(json.dumps([tree, trained_by], sort_keys=True), Combination()).runs.append(planned)
    return list(found.values())


@dataclass(frozen=True)
class _Lost:
    """The process died in a trial."""

    place: Place | None
    """What it was at; None before it was given anything."""
    death: Died


class Trials(AbstractContextManager["Trials"]):
    """A process in which runs are tried out, so that a crash there is told like any other misfit.

    Args:
        device: where runs are tried out.
        folder: where files of data sets are looked for.
        download: whether they may be fetched.

    """

    def __init__(self, device: str, folder: Path, *, download: bool = False) -> None:
        self._device, self._folder, self._download = device, folder, download
        self._process: WorkerProcess | None = None

    def __exit__(self, *_: object) -> None:
        """End the process, unless it was given away."""
        if self._process is not None:
            self._process.kill()

    def problems(self, combined: Iterable[Combination]) -> list[Problem]:
        """Try each combination once; return those that cannot be trained, each misfit once."""
        found: dict[str, Problem] = {}
        for combination in combined:
            misfit = self.misfit(combination.largest.spec, combination.smallest.spec)
            if misfit is None:
                continue
            run = combination.largest if misfit.place == ("train_size",) else combination.smallest
            message = f"{run.where(misfit.place)}: {misfit.failure.reason}"
            hashes = {run.spec.spec_hash for run in combination.runs}
            if message in found:
                hashes |= found[message].runs
            found[message] = Problem(message, misfit.failure.traceback, frozenset(hashes))
        return list(found.values())

    def misfit(self, largest: RunSpec, smallest: RunSpec) -> Misfit | None:
        """Try one combination; see `try_out`.

        A process that was killed says nothing of the combination, so it is tried again as a run would be.

        Raises:
            NormlawError: the process cannot be started.

        """
        attempts = 0
        while True:
            answer = self._attempt(largest, smallest)
            if not isinstance(answer, _Lost):
                return answer
            attempts += 1
            failure = answer.death.failure
            if answer.place is not None and answer.death.by_itself:
                return Misfit(answer.place, failure)
            if attempts < MAX_ATTEMPTS:
                continue
            if answer.place is None:
                raise NormlawError(f"no process that trains can be started: {failure.reason}")
            return Misfit(answer.place, Failure(f"{attempts} times, {failure.reason}", failure.traceback))

    def _attempt(self, largest: RunSpec, smallest: RunSpec) -> Misfit | _Lost | None:
        if self._process is None:
            with put_off():
                self._process = WorkerProcess(self._device)
        process = self._process
        place: Place | None = None
        while True:
            if process.ready and place is None:
                place = ()
                process.give(_try_out, largest, smallest, self._folder, self._device, self._download)
            wait(list(process.handles))
            for message in process.messages():
                match message:
                    case News(item):
                        place = item
                    case Done(result):
                        found: Misfit | None = result
                        return found
                    case Failed(failure):
                        return Misfit(place or (), failure)
                    case Died():
                        process.kill()
                        self._process = None
                        return _Lost(place, message)

    def give_away(self) -> WorkerProcess | None:
        """Return the process, to train with; whoever takes it ends it."""
        process, self._process = self._process, None
        return process


def check(combined: Iterable[Combination], trials: Trials) -> None:
    """Try each combination once.

    Raises:
        InputError: some cannot be trained; names each misfit once, with the line in the study.

    """
    if problems := trials.problems(combined):
        raise refusal(problems)


def refusal(problems: Iterable[Problem]) -> InputError:
    """Return the error that tells all problems; tracebacks of plugins stand in its notes."""
    error = InputError("\n".join(problem.message for problem in problems))
    for problem in problems:
        error.add_note(problem.traceback)
    return error


def _try_out(
    largest: RunSpec,
    smallest: RunSpec,
    folder: Path,
    device: str,
    download: bool,
    tell: Callable[[Place], None],
    _stopped: object,
) -> Misfit | None:
    from normlaw.training.trial import try_out  # with torch: in the process that tries

    return try_out(largest, smallest, load_catalogue(), folder, device, download=download, tell=tell)
