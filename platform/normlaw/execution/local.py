"""Run many runs on this machine: processes of one thread each, so that cores are not oversubscribed.

One thread a run also makes a run's curve the same bits whatever else the machine does.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from queue import Empty

from normlaw.execution.devices import processors
from normlaw.execution.job import Job, Outcome, Progress, Stack
from normlaw.execution.worker import work
from normlaw.training.threads import use_one_thread

MAX_ATTEMPTS = 3
"""How often a run is begun when its process is killed from outside (out of memory, say)."""
POLL_SECONDS = 0.2


def execute(stacks: Iterable[Stack], job: Job, on_progress: Callable[[Progress], None]) -> Iterator[Outcome]:
    """Train the runs and yield each one's outcome as it comes.

    Closing the iterator (or an exception in whoever iterates, an interrupt included) stops the runs at
    their next measuring point. A process that is killed from outside is replaced, and the runs that it was
    at are gone on with from their last checkpoints, `MAX_ATTEMPTS` times at most.
    """
    waiting = {stack[0].spec_hash: stack for stack in stacks}
    attempts: Counter[str] = Counter()
    while waiting:
        yield from _one_pool(waiting, attempts, job, on_progress)
        for first in [first for first in waiting if attempts[first] >= MAX_ATTEMPTS]:
            reason = f"its process was killed from outside {MAX_ATTEMPTS} times; out of memory?"
            yield from (Outcome(spec.spec_hash, reason) for spec in waiting.pop(first))


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Keep processes that are spawned meanwhile from running the main script once more.

    A spawned process imports it, for functions that it might define; ours come from normlaw. Without this, a
    script or a program on standard input that calls `normlaw.run` would have to guard itself by
    `if __name__ == "__main__"`.
    """
    main = sys.modules["__main__"]
    names: tuple[str, ...] = ("__file__", "__spec__")
    kept = {name: vars(main)[name] for name in names if name in vars(main)}
    try:
        vars(main).pop("__file__", None)
        main.__spec__ = None
        yield
    finally:
        vars(main).update(kept)


def _one_pool(
    waiting: dict[str, Stack],
    attempts: Counter[str],
    job: Job,
    on_progress: Callable[[Progress], None],
) -> Iterator[Outcome]:
    """Work off `waiting`, stacks by their first run's hash, with one pool, until all is done or it breaks."""
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    news: Queue[Progress] = context.Queue()
    stop = context.Event()
    devices: Queue[str] = context.Queue()
    workers = min(job.max_parallel, len(waiting))
    for device, _ in zip(cycle(processors(job.device)), range(workers), strict=False):
        devices.put(device)
    pool = ProcessPoolExecutor(
        max_workers=workers,
        mp_context=context,
        initializer=_initialise,
        initargs=(news, stop, devices),
    )
    started: set[str] = set()
    try:
        with _main_module_hidden():
            futures: set[Future[list[Outcome]]] = {pool.submit(_work, stack, job) for stack in waiting.values()}
        while futures:
            done, futures = wait(futures, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for item in _drain(news):
                started.add(item.spec_hash)
                on_progress(item)
            for future in done:
                outcomes = future.result()
                waiting.pop(outcomes[0].spec_hash)
                yield from outcomes
    except BrokenProcessPool:
        started.update(item.spec_hash for item in _drain(news))
        attempts.update(started & waiting.keys() or waiting.keys())
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _drain(news: Queue[Progress]) -> Iterator[Progress]:
    while True:
        try:
            yield news.get_nowait()
        except (Empty, EOFError):  # EOFError: a process was killed in the middle of a message
            return


_news: Queue[Progress]
_stop: Event
_device: str


def _initialise(news: Queue[Progress], stop: Event, devices: Queue[str]) -> None:
    """Set up a worker process: a device, one thread, and the parent's word alone decides when to stop."""
    global _news, _stop, _device
    _news, _stop, _device = news, stop, devices.get()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    news.cancel_join_thread()  # news that nobody reads any more must not keep the process from ending
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic matrix products need
    use_one_thread()


def _end_with_parent() -> None:
    """End at once when the parent is killed: the runs' locks are free then for whoever goes on with them."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(stack: Stack, job: Job) -> list[Outcome]:
    return work(stack, replace(job, device=_device), _news.put, _stop.is_set)
