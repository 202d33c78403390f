"""What a worker process does: train one run after another, each into its journal."""

from __future__ import annotations

import math
import os
import signal
import traceback
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from normlaw.spec import RunSpec
from normlaw.tracking.journal import Journal, journal_path
from normlaw_registry import NormlawError, load_catalogue


@dataclass(frozen=True)
class Job:
    """What is to be done, and where."""

    study: str
    abscissa: str
    home: Path
    """Folder of the journals."""
    folder: Path
    """Folder of the data sets' files."""
    device: str
    environment: dict[str, Any]
    max_parallel: int


@dataclass(frozen=True)
class Progress:
    """News from a run in training."""

    spec_hash: str
    step: int
    total_steps: int
    test_error: float
    log_norm: float


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `failure` is None when it was trained to its end."""

    spec_hash: str
    failure: str | None = None
    stopped: bool = False
    """Stopped on request, not failed."""


class StopRequestedError(Exception):
    """The user asked to stop; raised at a measuring point, which is a safe place."""


_news: Queue[Progress]
_stop: Event


def initialise(news: Queue[Progress], stop: Event, threads: int) -> None:
    """Set up a worker process: its threads, and the parent's word alone decides when to stop."""
    global _news, _stop
    _news, _stop = news, stop
    news.cancel_join_thread()  # news that nobody reads any more must not keep the process from ending
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic matrix products need
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)


def work(spec: RunSpec, job: Job) -> Outcome:
    """Train one run into its journal; never raises, so that one failed run stops no other."""
    try:
        with Journal(journal_path(job.home, job.study, spec.spec_hash)) as journal:
            return _train_into(journal, spec, job)
    except NormlawError as error:
        return Outcome(spec.spec_hash, str(error))


def _train_into(journal: Journal, spec: RunSpec, job: Job) -> Outcome:
    from normlaw.training.data import RunData
    from normlaw.training.evaluation import Point
    from normlaw.training.loop import train

    def note_data(data: RunData) -> None:
        journal.data(spec.dataset.name, data.digest, len(data.train), len(data.test))

    def note_point(point: Point) -> None:
        journal.point(point)
        news = Progress(
            spec.spec_hash,
            int(point["step"]),
            spec.total_steps,
            point["test/error"],
            point.get(f"log_norm/{job.abscissa}", math.nan),
        )
        _news.put(news)
        if _stop.is_set():
            raise StopRequestedError

    journal.start(spec, job.environment)
    try:
        train(
            spec,
            load_catalogue(),
            folder=job.folder,
            device=job.device,
            on_data=note_data,
            on_point=note_point,
            on_layers=journal.layers,
        )
    except StopRequestedError:
        return Outcome(spec.spec_hash, stopped=True)
    except NormlawError as error:
        failure = str(error)
    except Exception as error:  # a plugin's own code may fail in any way
        place = traceback.extract_tb(error.__traceback__)[-1]
        failure = f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno})"
    else:
        journal.end("finished")
        return Outcome(spec.spec_hash)
    journal.end("failed", failure)
    return Outcome(spec.spec_hash, failure)
