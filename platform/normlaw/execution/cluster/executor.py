"""Hands stacks of runs to Dask: a bounded number at a time, each again when its worker is lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any, Self

from distributed import Future, KilledWorker

from normlaw.base.failures import Failure, reason
from normlaw.execution.attempt import lost
from normlaw.execution.cluster.connection import SECONDS_TO_CONNECT, Connection
from normlaw.execution.cluster.fitness import Errand, versions_here
from normlaw.execution.cluster.last_words import last_words_path, take_last_words
from normlaw.execution.cluster.shared_folder import Token
from normlaw.execution.cluster.sites import Site
from normlaw.execution.cluster.task import stacks_in_training, train_stack
from normlaw.execution.job import Job, Outcome, Progress, Stack
from normlaw.execution.process import WorkerProcess, failure_of_death
from normlaw.tracking.record import is_done, read_journal
from normlaw_registry import NormlawError

TASKS_PER_WORKER = 2
"""Tasks that Dask is given at a time: one at work and one in reserve. The others wait here."""
MAX_ATTEMPTS = 3
"""How often a stack is handed out without its runs getting further, before it counts as failed."""
SECONDS_UNTIL_AGAIN = 2.0
SECONDS_ELSEWHERE = 180.0
"""How long a run's journal may be in use by another process: an attempt that was given up stops at its next
measuring point only."""
SECONDS_TO_STOP = 120.0
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_COMPLAINTS = 300.0
POLL_SECONDS = 0.5


@dataclass
class _Losses:
    """How often a stack was lost without getting further."""

    count: int = 0
    points: int = -1
    """Measurements in the journals of its runs at the last loss."""


class ClusterExecutor:
    """Trains runs on Dask workers. Use it as a context manager: entering connects and checks, leaving closes.

    Args:
        site: where workers come from.
        home: folder of journals and checkpoints, which launcher and workers share.
        plugins: distributions of plugins that workers must have too.
        tell: shows the user a line.

    Raises:
        InputError: nobody answers, a worker has other versions or does not see `home`, or none comes.

    """

    def __init__(self, site: Site, home: Path, plugins: Iterable[str], tell: Callable[[str], None]) -> None:
        self._site, self._tell = site, tell
        try:
            self._token = Token(home)
            try:
                launch = f"normlaw-{self._token.text[:8]}"
                versions = versions_here(plugins)
                self._errand = Errand(launch, versions, self._token.path, self._token.text)
                self._under_way: dict[str, tuple[Future[list[Outcome]], Stack]] = {}
                self._mail: SimpleQueue[Future[list[Outcome]] | list[Any]] = SimpleQueue()
                self._line = Connection(site, self._errand, self._mail.put, tell)
            except BaseException:
                self._token.remove()
                raise
        except BaseException:
            site.close()
            raise

    def __enter__(self) -> Self:
        """Return the executor itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of workers and scheduler."""
        self._stop()
        self._line.close()
        with suppress(OSError):
            self._site.close()
        self._token.remove()

    def choose_device(self, wanted: str) -> str:
        """Return the device asked for; for 'auto', the kind that all workers have."""
        if wanted != "auto":
            return wanted
        if "GPU" in self._site.needs:
            return "cuda"
        return self._line.common_device()

    def describe_device(self, name: str) -> str:
        """Return the name itself: each worker describes its own device in the records of its runs."""
        return name

    def trial_device(self, device: str) -> str:
        """Return the CPU: the launcher may have no device like the workers'."""
        return "cpu"

    def take(self, process: WorkerProcess | None) -> None:
        """End the process: training is done elsewhere."""
        if process is not None:
            process.end()

    def execute(
        self, stacks: Iterable[Stack], job: Job, on_progress: Callable[[Progress], None]
    ) -> Iterator[Outcome]:
        """Train the runs and yield each one's outcome as it comes.

        Closing the iterator (or an exception in whoever iterates, an interrupt included) stops the runs at
        their next measuring point. What a lost worker was at, another one goes on with from the last
        checkpoint; so does everything when the scheduler was started anew.

        Raises:
            NormlawError: the scheduler stays away, a worker is unfit, or the batch system refuses the jobs.

        """
        self._job = replace(job, home=job.home.resolve(), folder=job.folder.resolve())
        self._waiting = deque(stacks)
        self._later: list[tuple[float, Stack]] = []
        self._losses: dict[str, _Losses] = {}
        self._elsewhere_since: dict[str, float] = {}
        self._begun: set[str] = set()
        self._number = 0
        self._room = 0
        self._looked = 0.0
        self._worker_seen = self._complained = monotonic()
        try:
            while self._waiting or self._later or self._under_way:
                try:
                    yield from self._turn(on_progress)
                except OSError as error:  # Dask's errors of communication, time-outs among them
                    self._begin_again(str(error).partition("\n")[0] or type(error).__name__)
        finally:
            self._stop()

    def _turn(self, on_progress: Callable[[Progress], None]) -> Iterator[Outcome]:
        self._look_around()
        self._hand_out()
        try:
            mail = self._mail.get(timeout=POLL_SECONDS)
        except Empty:
            return
        if isinstance(mail, Future):
            yield from self._taken_back(mail)
        else:
            for item in mail:
                news = Progress(*item)
                self._begun.add(news.spec_hash)
                on_progress(news)

    def _look_around(self) -> None:
        """See how many workers there are, and say so now and then when there is none."""
        self._line.require()
        now = monotonic()
        if now - self._looked < SECONDS_BETWEEN_LOOKS:
            return
        self._looked = now
        self._site.provide_workers(
            self._line.client, len(self._waiting) + len(self._later) + len(self._under_way)
        )
        workers = len(self._line.client.nthreads())
        self._room = TASKS_PER_WORKER * max(workers, 1)
        if workers:
            self._worker_seen = self._complained = now
        elif now - self._complained > SECONDS_BETWEEN_COMPLAINTS:
            self._complained = now
            minutes = (now - self._worker_seen) / 60
            self._tell(f"{self._site.name}: no worker for {minutes:.0f} minutes; waiting on (Ctrl-C stops)")

    def _hand_out(self) -> None:
        """Give Dask as many tasks as there is room for."""
        now = monotonic()
        self._waiting.extendleft(stack for when, stack in self._later if when <= now)
        self._later = [(when, stack) for when, stack in self._later if when > now]
        while self._waiting and len(self._under_way) < self._room:
            stack = self._waiting[0]
            self._number += 1
            future = self._line.client.submit(
                train_stack,
                stack,
                self._job,
                self._errand,
                key=f"train-{stack[0].spec_hash}-{self._errand.launch}-{self._number}",
                resources=self._site.needs or None,
            )
            self._under_way[future.key] = (future, self._waiting.popleft())
            future.add_done_callback(self._mail.put)

    def _taken_back(self, future: Future[list[Outcome]]) -> Iterator[Outcome]:
        """Take a task back; yield the outcomes of the runs that need no other attempt."""
        if future.key not in self._under_way:
            return  # of an earlier connection
        _, stack = self._under_way[future.key]
        match future.status:
            case "finished":
                outcomes = future.result(timeout=SECONDS_TO_CONNECT)
                del self._under_way[future.key]
                yield from self._settled(stack, outcomes)
            case "error":
                error = future.exception(timeout=SECONDS_TO_CONNECT)
                del self._under_way[future.key]
                if isinstance(error, NormlawError):
                    raise error
                yield from self._lost(stack, error)
            case "cancelled":
                self._begin_again("the scheduler has dropped a task")
            case _:  # its worker was lost before it could tell: Dask has the task done once more
                future.add_done_callback(self._mail.put)

    def _settled(self, stack: Stack, outcomes: list[Outcome]) -> Iterator[Outcome]:
        again: set[str] = set()
        specs = {spec.spec_hash: spec for spec in stack}
        for outcome in outcomes:
            if outcome.stopped:  # nobody here has asked it to stop: its worker was about to close
                again.add(outcome.spec_hash)
            elif not outcome.elsewhere:
                yield outcome
            elif is_done(self._job.journal(outcome.spec_hash), specs[outcome.spec_hash]):
                ours = outcome.spec_hash in self._begun  # its worker was lost before it could tell
                yield Outcome(outcome.spec_hash) if ours else outcome
            elif self._may_be_free_soon(outcome.spec_hash):
                again.add(outcome.spec_hash)
            else:
                yield outcome
        self._put_off(tuple(spec for spec in stack if spec.spec_hash in again))

    def _lost(self, stack: Stack, error: BaseException | None) -> Iterator[Outcome]:
        """Give a stack another try, in the end by halves, unless its runs do not get any further."""
        losses = self._losses.setdefault(stack[0].spec_hash, _Losses())
        points = self._points(stack)
        losses.count = 1 if points > losses.points else losses.count + 1
        losses.points = points
        if losses.count < MAX_ATTEMPTS:
            self._put_off(stack)
        elif len(stack) > 1:
            del self._losses[stack[0].spec_hash]
            self._put_off(stack[: len(stack) // 2])
            self._put_off(stack[len(stack) // 2 :])
        else:
            failure, by_itself = self._why_lost(stack, error)
            yield lost(stack[0], self._job, failure, by_itself=by_itself)

    def _why_lost(self, stack: Stack, error: BaseException | None) -> tuple[Failure, bool]:
        """Return why a run got no further, and whether by a fault of its own: a crash, not a kill."""
        if error is not None and not isinstance(error, KilledWorker):
            told = f"its workers failed before it got any further, each time, the last one by: {reason(error)}"
            return Failure(told), False
        words = take_last_words(last_words_path(self._errand.token_path, stack[0].spec_hash))
        death = failure_of_death(None, words)
        told = f"its workers were lost before it got any further, each time: {death.reason} ({error})"
        return Failure(told, death.traceback), bool(words)

    def _may_be_free_soon(self, spec_hash: str) -> bool:
        now = monotonic()
        return now - self._elsewhere_since.setdefault(spec_hash, now) < SECONDS_ELSEWHERE

    def _put_off(self, stack: Stack) -> None:
        if stack:
            self._later.append((monotonic() + SECONDS_UNTIL_AGAIN, stack))

    def _points(self, stack: Stack) -> int:
        records = [read_journal(self._job.journal(spec.spec_hash)) for spec in stack]
        return sum(len(record.points) for record in records if record is not None)

    def _begin_again(self, reason: str) -> None:
        """Connect anew, and hand out anew what was under way: journals and checkpoints hold what is done."""
        self._waiting.extendleft(stack for _, stack in self._under_way.values())
        self._begun.update(spec.spec_hash for _, stack in self._under_way.values() for spec in stack)
        self._under_way.clear()
        self._line.renew(reason)

    def _stop(self) -> None:
        """Stop what is still in training at its next measuring point, and wait for that."""
        if not self._under_way:
            return
        futures = [future for future, _ in self._under_way.values()]
        self._under_way.clear()
        client = self._line.client
        with suppress(OSError):
            client.cancel(futures, force=True)
            deadline = monotonic() + SECONDS_TO_STOP
            while any(client.run(stacks_in_training, self._errand.launch, on_error="ignore").values()):
                if monotonic() > deadline:
                    self._tell("some runs have not come to their next measuring point yet; they stop there")
                    break
                sleep(POLL_SECONDS)
