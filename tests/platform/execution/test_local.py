from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normlaw.execution.job import Job, Progress
from normlaw.execution.local import execute
from normlaw.study.expansion import expand
from normlaw.study.home import journal_path
from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import read_journal
from normlaw_registry import Catalogue
from normlaw_tests.waiting import wait_until


@pytest.fixture
def specs(tiny: dict[str, Any], catalogue: Catalogue) -> list[RunSpec]:
    tiny["vary"]["train_size"] = [32]
    return expand(Study.model_validate(tiny), catalogue)


@pytest.mark.slow
def test_a_failed_run_stops_no_other_and_keeps_its_curve(
    tiny: dict[str, Any], catalogue: Catalogue, job: Job
) -> None:
    tiny["fixed"]["optimizer"] = {"name": "sgd"}
    tiny["vary"] = {"train_size": [32], "seed": [0], "optimizer.learning_rate": [1e30, 1e-2]}
    diverging, healthy = expand(Study.model_validate(tiny), catalogue)
    news: list[Progress] = []
    outcomes = {outcome.spec_hash: outcome for outcome in execute([(diverging,), (healthy,)], job, news.append)}
    assert "training loss is" in str(outcomes[diverging.spec_hash].failure)
    assert outcomes[healthy.spec_hash].failure is None
    failed = read_journal(journal_path(job.home, "tiny", diverging.spec_hash))
    assert failed is not None
    assert failed.status == "failed"
    assert failed.points
    assert {item.step for item in news if item.spec_hash == healthy.spec_hash} >= {0, 1}


@pytest.mark.slow
def test_a_killed_process_is_replaced_and_its_runs_begun_again(specs: list[RunSpec], job: Job) -> None:
    killed: list[int | None] = []
    before = set(multiprocessing.active_children())  # a server that other tests share may be one

    def kill_once(news: Progress) -> None:
        if not killed:
            victim, *_ = set(multiprocessing.active_children()) - before
            killed.append(victim.pid)
            victim.kill()

    outcomes = list(execute([(spec,) for spec in specs], job, kill_once))
    assert killed
    assert sorted(outcome.spec_hash for outcome in outcomes) == sorted(spec.spec_hash for spec in specs)
    for spec in specs:
        record = read_journal(journal_path(job.home, "tiny", spec.spec_hash))
        assert record is not None
        assert record.status == "finished"
        steps = [point["step"] for point in record.points]
        assert steps == sorted(set(steps))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_at_a_measuring_point(
    nursery: Any,
    tiny: dict[str, Any],
    write_study: Callable[[dict[str, Any]], Path],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    tiny["vary"] = {"train_size": [256], "seed": [0, 1]}
    tiny["fixed"].update(steps=100_000, measuring_points=2000)
    journals = tmp_path / ".normlaw" / "journal" / "tiny"
    launch = nursery.launch(tmp_path, "run", write_study(tiny))
    wait_until(
        lambda: any(path.stat().st_size > 5000 for path in journals.glob("*.jsonl")), while_running=launch
    )
    os.kill(launch, number)
    assert nursery.wait(launch) == 128 + number
    told = (tmp_path / "out.txt").read_text()
    assert "Stopped. What is finished is kept" in told
    assert "Traceback" not in told
    for path in journals.glob("*.jsonl"):
        record = read_journal(path)
        assert record is not None
        assert record.status is None
        Journal(path).__exit__()  # nobody holds its lock: no worker has outlived the launch


@pytest.mark.slow
def test_a_stack_is_trained_by_one_process(specs: list[RunSpec], job: Job) -> None:
    outcomes = list(execute([tuple(specs)], job, lambda news: None))
    ended = [(outcome.spec_hash, outcome.failure) for outcome in outcomes]
    assert ended == [(spec.spec_hash, None) for spec in specs]
    for spec in specs:
        record = read_journal(journal_path(job.home, "tiny", spec.spec_hash))
        assert record is not None
        assert record.points[-1]["step"] == spec.total_steps
