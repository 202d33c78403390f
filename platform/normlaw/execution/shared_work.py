"""Runs that several processes may be asked for at once: each is trained by one of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from normlaw.execution.choice import Executor
from normlaw.execution.job import Job, Outcome, Progress, Stack
from normlaw.study.spec import RunSpec
from normlaw.tracking.journal import is_being_written
from normlaw.tracking.record import is_done

LOOK_SECONDS = 1.0
"""How often a run that another process trains is looked at."""


def train_shared(
    missing: list[RunSpec],
    executor: Executor,
    job: Job,
    together: Callable[[list[RunSpec]], list[Stack]],
    on_progress: Callable[[Progress], None],
    on_wait: Callable[[Sequence[RunSpec]], None],
) -> Iterator[Outcome]:
    """Train runs and yield how each ended, whichever process trained it.

    A run that another process is at is left to it; when that process has ended without finishing the run, it
    is gone on with here.

    Args:
        missing: the runs.
        executor: trains them.
        job: what they have in common.
        together: puts them into stacks.
        on_progress: is told of measurements taken here.
        on_wait: is told which runs are waited for when there is nothing left to train here.

    """
    held: list[RunSpec] = []
    """Runs that another process is training, or was when they were looked at last."""
    while missing or held:
        by_hash = {spec.spec_hash: spec for spec in missing}
        for outcome in executor.execute(together(missing), job, on_progress):
            if outcome.elsewhere:
                held.append(by_hash[outcome.spec_hash])
            elif not outcome.stopped:
                yield outcome
        missing = []
        for spec in list(held):
            journal = job.journal(spec.spec_hash)
            if is_being_written(journal):
                continue
            held.remove(spec)
            if is_done(journal, spec):
                yield Outcome(spec.spec_hash, elsewhere=True)
            else:  # the other process was stopped, or the run failed there
                missing.append(spec)
        if held and not missing:
            on_wait(held)
            time.sleep(LOOK_SECONDS)
