"""A worker trains stacks of runs, begins again in smaller ones when it must, and goes on from checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from normlaw.execution.attempt import Attempt, checkpoint_folder
from normlaw.execution.job import Job, Progress
from normlaw.execution.worker import work
from normlaw.study.expansion import expand
from normlaw.study.home import journal_path
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import read_journal
from normlaw.training import together
from normlaw.training.stacking import StackTooLargeError
from normlaw_registry import Catalogue


@pytest.fixture
def job(job: Job) -> Job:
    """Return a job that writes a checkpoint at each measuring point."""
    return replace(job, checkpoint_seconds=0.0)


@pytest.fixture
def specs(tiny: dict[str, Any], catalogue: Catalogue) -> tuple[RunSpec, ...]:
    tiny["vary"] = {"train_size": [32], "seed": [0, 1, 2]}
    return tuple(expand(Study.model_validate(tiny), catalogue))


def never() -> bool:
    return False


def ignore(news: Progress) -> None:
    pass


def points(job: Job, spec: RunSpec) -> list[dict[str, float]]:
    record = read_journal(journal_path(job.home, job.study, spec.spec_hash))
    assert record is not None
    return record.points


class StopAfter:
    """Asks to stop once so many measurements have been told."""

    def __init__(self, count: int) -> None:
        self.left = count

    def report(self, news: Progress) -> None:
        self.left -= 1

    def stopped(self) -> bool:
        return self.left <= 0


def test_a_run_stopped_anywhere_goes_on_with_the_same_bits(job: Job, specs: tuple[RunSpec, ...]) -> None:
    [undisturbed] = work(specs[:1], replace(job, home=job.home / "undisturbed"), ignore, never)
    assert undisturbed.failure is None
    rounds = 0
    while True:
        stop = StopAfter(3)
        [outcome] = work(specs[:1], job, stop.report, stop.stopped)
        rounds += 1
        if not outcome.stopped:
            break
        assert list(checkpoint_folder(job.home, "tiny", specs[0].spec_hash).glob("*.ckpt"))
    assert outcome.failure is None
    assert rounds > 3
    assert points(job, specs[0]) == points(replace(job, home=job.home / "undisturbed"), specs[0])
    record = read_journal(journal_path(job.home, "tiny", specs[0].spec_hash))
    assert record is not None
    assert record.data
    assert {row["step"] for row in record.layers} == {0, 60}
    assert not checkpoint_folder(job.home, "tiny", specs[0].spec_hash).exists()


def test_a_journal_without_the_checkpoints_measurement_is_begun_anew(
    job: Job, specs: tuple[RunSpec, ...]
) -> None:
    stop = StopAfter(4)
    work(specs[:1], job, stop.report, stop.stopped)
    path = journal_path(job.home, "tiny", specs[0].spec_hash)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    [outcome] = work(specs[:1], job, ignore, never)
    assert outcome.failure is None
    steps = [point["step"] for point in points(job, specs[0])]
    assert steps == sorted(set(steps))
    assert steps[0] == 0
    assert steps[-1] == 60


def test_a_checkpoint_of_other_versions_is_not_gone_on_from(job: Job, specs: tuple[RunSpec, ...]) -> None:
    stop = StopAfter(4)
    work(specs[:1], job, stop.report, stop.stopped)
    news: list[Progress] = []
    newer = replace(job, environment={"packages": {"torch": "99"}})
    work(specs[:1], newer, news.append, never)
    assert news[0].step == 0


def test_a_finished_run_is_not_trained_again(job: Job, specs: tuple[RunSpec, ...]) -> None:
    work(specs[:1], job, ignore, never)
    news: list[Progress] = []
    [outcome] = work(specs[:1], job, news.append, never)
    assert outcome.failure is None
    assert news == []


def test_a_run_that_another_process_trains_is_left_to_it(job: Job, specs: tuple[RunSpec, ...]) -> None:
    with Journal(journal_path(job.home, "tiny", specs[1].spec_hash)):
        outcomes = work(specs, job, ignore, never)
    assert [outcome.elsewhere for outcome in outcomes] == [False, True, False]
    assert [outcome.failure for outcome in outcomes] == [None, None, None]


def too_large(specs: Any, *_: Any, **__: Any) -> Any:
    raise StackTooLargeError(2)


def out_of_memory(specs: Any, *_: Any, **__: Any) -> Any:
    raise torch.OutOfMemoryError("simulated")


def unstackable(specs: Any, *_: Any, **__: Any) -> Any:
    raise RuntimeError("vmap: no batching rule")


@pytest.mark.parametrize(("trouble", "sizes"), [(too_large, [3, 2]), (out_of_memory, [3]), (unstackable, [3])])
@pytest.mark.slow
def test_a_stack_that_does_not_go_is_made_smaller(
    trouble: Callable[..., Any],
    sizes: list[int],
    job: Job,
    specs: tuple[RunSpec, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really = together.train_together
    tried: list[int] = []

    def troubled(stack: Any, *arguments: Any, **options: Any) -> Any:
        tried.append(len(stack))
        return (trouble if len(stack) == 3 else really)(stack, *arguments, **options)

    monkeypatch.setattr(together, "train_together", troubled)
    outcomes = work(specs, job, ignore, never)
    assert tried == sizes
    assert [outcome.failure for outcome in outcomes] == [None] * 3
    for spec in specs:
        steps = [point["step"] for point in points(job, spec)]
        assert steps == sorted(set(steps))


@pytest.mark.slow
def test_a_stack_of_runs_at_different_steps_goes_on(job: Job, specs: tuple[RunSpec, ...]) -> None:
    stop = StopAfter(5)
    work(specs[:1], job, stop.report, stop.stopped)
    outcomes = work(specs, job, ignore, never)
    assert [outcome.failure for outcome in outcomes] == [None] * 3
    with Attempt(specs[0], job, ignore, never) as attempt:
        assert attempt.finished
