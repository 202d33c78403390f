"""Run many runs on this machine: processes of one thread each, so that cores are not oversubscribed.

One thread a run also makes a run's curve the same bits whatever else the machine does.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from queue import Empty

from normlaw.execution.worker import Job, Outcome, Progress, initialise, work
from normlaw.spec import RunSpec

MAX_ATTEMPTS = 3
"""How often a run is begun when its process is killed from outside (out of memory, say)."""
POLL_SECONDS = 0.2


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def execute(specs: Iterable[RunSpec], job: Job, on_progress: Callable[[Progress], None]) -> Iterator[Outcome]:
    """Train the runs and yield each one's outcome as it comes.

    Closing the iterator (or an exception in whoever iterates, an interrupt included) stops the runs at
    their next measuring point. A process that is killed from outside is replaced, and the runs that it was
    at are begun again, `MAX_ATTEMPTS` times at most.
    """
    waiting = {spec.spec_hash: spec for spec in specs}
    attempts: Counter[str] = Counter()
    while waiting:
        yield from _one_pool(waiting, attempts, job, on_progress)
        for spec_hash in [h for h in waiting if attempts[h] >= MAX_ATTEMPTS]:
            del waiting[spec_hash]
            yield Outcome(
                spec_hash, f"its process was killed from outside {MAX_ATTEMPTS} times; out of memory?"
            )


def _one_pool(
    waiting: dict[str, RunSpec], attempts: Counter[str], job: Job, on_progress: Callable[[Progress], None]
) -> Iterator[Outcome]:
    """Work off `waiting` with one pool of processes, until all is done or the pool breaks."""
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    news: multiprocessing.queues.Queue[Progress] = context.Queue()
    stop = context.Event()
    pool = ProcessPoolExecutor(
        max_workers=min(job.max_parallel, len(waiting)),
        mp_context=context,
        initializer=initialise,
        initargs=(news, stop, 1),
    )
    started: set[str] = set()
    try:
        futures: set[Future[Outcome]] = {pool.submit(work, spec, job) for spec in waiting.values()}
        while futures:
            done, futures = wait(futures, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for item in _drain(news):
                started.add(item.spec_hash)
                on_progress(item)
            for future in done:
                outcome = future.result()
                waiting.pop(outcome.spec_hash)
                yield outcome
    except BrokenProcessPool:
        started.update(item.spec_hash for item in _drain(news))
        attempts.update(started & waiting.keys() or waiting.keys())
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _drain(news: multiprocessing.queues.Queue[Progress]) -> Iterator[Progress]:
    while True:
        try:
            yield news.get_nowait()
        except (Empty, EOFError):  # EOFError: a process was killed in the middle of a message
            return
