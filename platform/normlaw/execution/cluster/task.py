"""What a Dask worker does with a stack of runs."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, replace
from functools import cache, partial
from time import monotonic
from typing import Any

from distributed import get_worker
from distributed.core import Status

from normlaw.execution.cluster.fitness import Errand, require_fit
from normlaw.execution.cluster.last_words import last_words_path, leaving_last_words
from normlaw.execution.devices import choose_device, describe_device
from normlaw.execution.job import Job, Outcome, Progress, Stack
from normlaw.execution.worker import work
from normlaw.launching.support import check_support
from normlaw.machine import environment
from normlaw.training.threads import use_one_thread
from normlaw_registry import NormlawError, load_catalogue

SECONDS_BETWEEN_NEWS = 0.5
"""News of a task are sent no more often: they are for a human's eyes."""

SECONDS_TO_TELL = 1.0
"""How long a worker that leaves goes on, so that the scheduler hears first why its task failed."""

_in_training: Counter[str] = Counter()
"""Launch -> tasks of it in this process."""


def train_stack(stack: Stack, job: Job, errand: Errand) -> list[Outcome]:
    """Train a stack of runs on this worker; runs whose journal is finished are not trained again.

    The runs stop at their next measuring point, with a checkpoint, when their task is cancelled, its launcher
    is gone, or the worker is about to close.

    Raises:
        UnfitWorkerError: this worker may not take runs of this launch.
        InputError: it has not the device that was asked for, or the runs cannot train on it.

    """
    worker = get_worker()
    key = worker.get_current_task()
    with _replaced_if_broken(worker):
        _fit(worker.address, worker.state.nthreads, errand)
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic matrix products need
        use_one_thread()
        last_words = last_words_path(errand.token_path, stack[0].spec_hash)
        with leaving_last_words(last_words), _counted(errand.launch):  # what counts can tell of its end
            return work(
                stack,
                _as_done_here(stack, job, worker.name),
                report=_News(worker, errand.launch),
                stopped=lambda: _given_up(worker, key),
            )


def stacks_in_training(launch: str) -> int:
    """Return how many stacks of a launch this process is at."""
    return _in_training[launch]


def device_of(wanted: str, worker_name: object, visible: int) -> str:
    """Return the device of a worker: where any of several GPUs will do, the one of the worker's own number.

    Dask names the workers of one job after the job with -0, -1, ... at the end.

    >>> [device_of("auto", f"job-7-{number}", visible=4) for number in range(4)]
    ['cuda:0', 'cuda:1', 'cuda:2', 'cuda:3']
    >>> device_of("auto", "job-7", visible=1), device_of("cpu", "job-7-1", visible=4)
    ('auto', 'cpu')
    """
    number = re.search(r"(\d+)$", str(worker_name))
    if wanted not in ("auto", "cuda") or visible < 2 or number is None:
        return wanted
    return f"cuda:{int(number[1]) % visible}"


class _News:
    """Sends news to the launcher, the latest of each run; never raises."""

    def __init__(self, worker: Any, topic: str) -> None:
        self._worker, self._topic = worker, topic
        self._unsent: dict[str, Progress] = {}
        self._sent = -SECONDS_BETWEEN_NEWS

    def __call__(self, progress: Progress) -> None:
        self._unsent[progress.spec_hash] = progress
        if monotonic() - self._sent >= SECONDS_BETWEEN_NEWS:
            with suppress(Exception):  # a worker that has lost its scheduler is about to close anyway
                self._worker.log_event(self._topic, [astuple(p) for p in self._unsent.values()])
            self._unsent.clear()
            self._sent = monotonic()


@contextmanager
def _replaced_if_broken(worker: Any) -> Iterator[None]:
    """End this process after an error that is no run's, so that its nanny begins another in its place.

    A library whose import has failed half-way cannot be imported again by the same process: all tasks to come
    would fail here, and this worker, free at once each time, would be given them.
    """
    try:
        yield
    except NormlawError:
        raise
    except Exception:
        leave = partial(worker.close_gracefully, restart=True, reason="a task could not be begun")
        worker.loop.add_callback(worker.loop.call_later, SECONDS_TO_TELL, leave)
        raise


def _given_up(worker: Any, key: str) -> bool:
    """Whether nobody waits for this task any more, read off the worker's own state without a message."""
    state = worker.state.tasks.get(key)
    running = worker.status in (Status.running, Status.paused)
    return not running or state is None or state.state == "cancelled"


def _as_done_here(stack: Stack, job: Job, worker_name: object) -> Job:
    """Return the job with the device and the environment of this machine."""
    import torch

    device = choose_device(device_of(job.device, worker_name, torch.cuda.device_count()))
    check_support(stack, load_catalogue(), device)
    here = {**_environment(), "device": describe_device(device), "git_commit": job.environment["git_commit"]}
    return replace(job, device=device, environment={**job.environment, **here}, worker=str(worker_name))


@cache
def _environment() -> dict[str, Any]:
    return environment.describe(load_catalogue())


@cache
def _fit(address: str, threads: int, errand: Errand) -> None:
    """Check once a launch; an exception is not remembered."""
    require_fit(address, threads, errand)


@contextmanager
def _counted(launch: str) -> Iterator[None]:
    _in_training[launch] += 1
    try:
        yield
    finally:
        _in_training[launch] -= 1
