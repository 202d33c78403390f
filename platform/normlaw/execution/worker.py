"""What a worker does: train one stack of runs after another, each run into its journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from normlaw.execution.attempt import Attempt, OnProgress, Stopped
from normlaw.execution.job import Job, Outcome, Stack
from normlaw.tracking.journal import JournalInUseError
from normlaw_registry import NormlawError, load_catalogue

if TYPE_CHECKING:
    from normlaw.training.state import TrainingState

    Begun = tuple[Attempt, TrainingState | None]


def work(stack: Stack, job: Job, report: OnProgress, stopped: Stopped) -> list[Outcome]:
    """Train each run of a stack into its journal; never raises, so that one failed run stops no other.

    A run whose journal is finished is not trained again; one with a checkpoint goes on from there.

    Args:
        stack: the runs.
        job: what all runs of a launch have in common.
        report: is told of each measurement, once it is in the journal.
        stopped: whether the user has asked to stop; each run then ends at its next measuring point.

    Returns:
        An outcome a run, in the order of the stack.

    """
    outcomes: dict[str, Outcome] = {}
    with ExitStack() as held:
        attempts: list[Attempt] = []
        for spec in stack:
            try:
                attempt = held.enter_context(Attempt(spec, job, report, stopped))
            except NormlawError as error:
                elsewhere = isinstance(error, JournalInUseError)
                failure = None if elsewhere else str(error)
                outcomes[spec.spec_hash] = Outcome(spec.spec_hash, failure, elsewhere=elsewhere)
                continue
            if attempt.finished:
                outcomes[spec.spec_hash] = Outcome(spec.spec_hash, elsewhere=True)
            else:
                attempts.append(attempt)
        outcomes.update((outcome.spec_hash, outcome) for outcome in _train(attempts, job))
    return [outcomes[spec.spec_hash] for spec in stack]


def _train(attempts: list[Attempt], job: Job) -> Iterator[Outcome]:
    """Begin runs, or go on with them: those that are at the same step together."""
    by_step: dict[int, list[Begun]] = {}
    for attempt in attempts:
        try:
            state = attempt.begin()
        except NormlawError as error:
            yield attempt.end(error)
        else:
            by_step.setdefault(-1 if state is None else state.step, []).append((attempt, state))
    for group in by_step.values():
        if len(group) == 1:
            [(attempt, state)] = group
            yield attempt.end(_alone(attempt, state, job))
        else:
            yield from _together(group, job)


def _alone(attempt: Attempt, state: TrainingState | None, job: Job) -> BaseException | None:
    from normlaw.training.loop import train

    try:
        train(
            attempt.spec,
            load_catalogue(),
            folder=job.folder,
            device=job.device,
            resume=state,
            observer=attempt.recorder(),
        )
    except BaseException as error:  # noqa: BLE001  # a plugin may call sys.exit; an interrupt does not reach a worker
        return error
    return None


def _together(group: list[Begun], job: Job) -> Iterator[Outcome]:
    """Train runs as one stack; where that does not go, in smaller stacks, or each alone."""
    from torch import OutOfMemoryError

    from normlaw.training.stacking import StackTooLargeError
    from normlaw.training.together import train_together

    attempts = [attempt for attempt, _ in group]
    try:
        errors = train_together(
            [attempt.spec for attempt in attempts],
            load_catalogue(),
            [attempt.recorder() for attempt in attempts],
            folder=job.folder,
            device=job.device,
            resume=[state for _, state in group if state is not None],
        )
    except StackTooLargeError as error:
        size = error.fitting
    except OutOfMemoryError:
        size = len(attempts) // 2
    except BaseException:  # noqa: BLE001  # some operation cannot be stacked: alone, each run tells what is wrong with it
        size = 1
    else:
        yield from (attempt.end(error) for attempt, error in zip(attempts, errors, strict=True))
        return
    for start in range(0, len(attempts), size):
        yield from _train(attempts[start : start + size], job)
