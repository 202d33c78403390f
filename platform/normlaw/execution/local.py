"""Run many runs on this machine: processes of one thread each, so that cores are not oversubscribed.

One thread a run also makes a run's curve the same bits whatever else the machine does.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from multiprocessing.connection import wait

from normlaw.base.failures import Failure
from normlaw.execution.attempt import lost
from normlaw.execution.devices import processors
from normlaw.execution.job import Job, Outcome, Progress, Stack
from normlaw.execution.process import MAX_ATTEMPTS, Died, Done, Failed, News, Ready, WorkerProcess
from normlaw.execution.signals import put_off
from normlaw.execution.worker import work
from normlaw_registry import NormlawError


def execute(
    stacks: Iterable[Stack],
    job: Job,
    on_progress: Callable[[Progress], None],
    spare: WorkerProcess | None = None,
) -> Iterator[Outcome]:
    """Train the runs and yield each one's outcome as it comes.

    Closing the iterator (or an exception in whoever iterates, an interrupt included) stops the runs at
    their next measuring point; another interrupt meanwhile ends them at once. A process that dies is replaced,
    and the runs that it was at are gone on with from their last checkpoints, `MAX_ATTEMPTS` times at most; the
    others are not disturbed.

    Args:
        stacks: the runs.
        job: what they have in common.
        on_progress: is told of each measurement.
        spare: a process that has been started already; it is used, and ended with the others.

    Raises:
        NormlawError: processes cannot be started.

    """
    crew = _Crew(deque(stacks), job, on_progress)
    try:
        crew.start(spare)
        while crew.at_work:
            yield from crew.turn()
    finally:
        crew.leave()


class _Crew:
    """The processes of one call of `execute`."""

    def __init__(self, waiting: deque[Stack], job: Job, on_progress: Callable[[Progress], None]) -> None:
        self._waiting, self._job, self._on_progress = waiting, job, on_progress
        self._workers: dict[WorkerProcess, Stack | None] = {}
        """What each process is at."""
        self._attempts: Counter[str] = Counter()
        """How often a process has died at a stack, by its first run."""
        self._stillborn = 0
        """Processes in a row that have died before they were ready."""

    @property
    def at_work(self) -> bool:
        """Whether anything is left to do."""
        return bool(self._waiting) or any(stack is not None for stack in self._workers.values())

    def start(self, spare: WorkerProcess | None) -> None:
        """Start as many processes as there is work for, on each device in turn."""
        if spare is not None:
            self._workers[spare] = None
            self._hand_out(spare)
        number = min(self._job.max_parallel, len(self._waiting) + len(self._workers))
        for device in islice(cycle(processors(self._job.device)), len(self._workers), number):
            self._add(device)

    def _add(self, device: str) -> None:
        with put_off():  # a process that nobody knows of could not be ended
            self._workers[WorkerProcess(device)] = None

    def turn(self) -> Iterator[Outcome]:
        """Wait until a process has something to say, and act on it."""
        by_handle = {handle: worker for worker in self._workers for handle in worker.handles}
        heard = {by_handle[handle]: None for handle in wait(list(by_handle))}  # type: ignore[index]
        for worker in heard:
            for message in worker.messages():
                match message:
                    case Ready():
                        self._stillborn = 0
                    case News(item):
                        self._on_progress(item)
                    case Done(outcomes):
                        self._workers[worker] = None
                        yield from outcomes
                    case Failed(failure):  # `work` never raises: a fault of normlaw's own
                        for spec in self._taken_from(worker):
                            yield Outcome(spec.spec_hash, failure.reason, traceback=failure.traceback)
                    case Died():
                        yield from self._replace(worker, message)
            self._hand_out(worker)

    def _hand_out(self, worker: WorkerProcess) -> None:
        if worker.ready and worker in self._workers and self._waiting:
            stack = self._workers[worker] = self._waiting.popleft()
            worker.give(work, stack, replace(self._job, device=worker.device))

    def _taken_from(self, worker: WorkerProcess) -> Stack:
        stack, self._workers[worker] = self._workers[worker], None
        return stack or ()

    def _replace(self, worker: WorkerProcess, death: Died) -> Iterator[Outcome]:
        """Put another process in the place of one that has died, and give its stack another try."""
        stack = self._workers.pop(worker)
        worker.kill()
        if stack is None:
            self._stillborn += 1
            if self._stillborn >= MAX_ATTEMPTS:
                raise NormlawError(f"no process that trains can be started: {death.failure.reason}")
        else:
            yield from self._lost(stack, death)
        if self._waiting:
            self._add(worker.device)

    def _lost(self, stack: Stack, death: Died) -> Iterator[Outcome]:
        first = stack[0].spec_hash
        self._attempts[first] += 1
        if self._attempts[first] < MAX_ATTEMPTS:
            self._waiting.appendleft(stack)
        elif len(stack) > 1:
            del self._attempts[first]
            self._waiting.extendleft((stack[len(stack) // 2 :], stack[: len(stack) // 2]))
        else:
            failure = Failure(f"{MAX_ATTEMPTS} times, {death.failure.reason}", death.failure.traceback)
            yield lost(stack[0], self._job, failure, by_itself=death.by_itself)

    def leave(self) -> None:
        """Stop what is in training at its next measuring point, and end all processes."""
        try:
            for worker in self._workers:
                if worker.busy:
                    worker.ask_to_stop()
                elif not worker.ready:
                    worker.kill()
            while busy := [worker for worker in self._workers if worker.busy]:
                wait([handle for worker in busy for handle in worker.handles])
                for worker in busy:
                    for _ in worker.messages():
                        pass
            for worker in self._workers:
                worker.end()
        finally:  # at once, when interrupted
            for worker in self._workers:
                worker.kill()
