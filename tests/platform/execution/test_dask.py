"""Runs on a real Dask scheduler with two workers on loopback, faults included."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from normlaw_tests.waiting import wait_until

distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster' (Dask)")

from normlaw.execution.cluster.configuration import DaskConfiguration  # noqa: E402
from normlaw.execution.cluster.executor import ClusterExecutor  # noqa: E402
from normlaw.execution.cluster.sites import DaskSite  # noqa: E402
from normlaw.execution.cluster.task import stacks_in_training  # noqa: E402
from normlaw.execution.job import Job, Progress, Stack  # noqa: E402
from normlaw.execution.worker import work  # noqa: E402
from normlaw.machine import environment  # noqa: E402
from normlaw.study.expansion import expand  # noqa: E402
from normlaw.study.home import journal_path  # noqa: E402
from normlaw.study.study import Study  # noqa: E402
from normlaw.tracking.journal import Journal, is_being_written  # noqa: E402
from normlaw.tracking.record import read_journal  # noqa: E402
from normlaw_registry import Catalogue  # noqa: E402
from normlaw_tests.dask_cluster import DaskCluster, pids_of_workers, running  # noqa: E402

PATIENCE = 400.0
"""Seconds; a loaded machine takes half a minute to import torch in a worker."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with running(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


@pytest.fixture
def _again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a worker could not do handed out again without a pause that only broken workers need."""
    monkeypatch.setattr("normlaw.execution.cluster.executor.SECONDS_UNTIL_AGAIN", 0.3)


@pytest.fixture
def job(job: Job, catalogue: Catalogue) -> Job:
    return replace(job, environment=environment.describe(catalogue), checkpoint_seconds=0.0)


@pytest.fixture
def stacks(tiny: dict[str, Any], catalogue: Catalogue) -> list[Stack]:
    tiny["fixed"].update(steps=240, measuring_points=24)
    tiny["vary"] = {"train_size": [64], "seed": [0, 1, 2, 3, 4]}
    specs = expand(Study.model_validate(tiny), catalogue)
    return [(specs[0], specs[1]), *((spec,) for spec in specs[2:])]


Open = Callable[[], ClusterExecutor]


@pytest.fixture
def open_executor(dask_cluster: DaskCluster, job: Job, catalogue: Catalogue) -> Open:
    def open_it() -> ClusterExecutor:
        site = DaskSite(dask_cluster.address, DaskConfiguration(worker_seconds=PATIENCE))
        return ClusterExecutor(site, job.home, environment.plugin_versions(catalogue), print)

    return open_it


def lines(job: Job, spec_hash: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal_path(job.home, job.study, spec_hash).read_text().splitlines()]


@pytest.mark.usefixtures("_again_soon")
def test_lost_workers_and_a_new_scheduler_lose_and_double_nothing(
    dask_cluster: DaskCluster,
    open_executor: Open,
    stacks: list[Stack],
    job: Job,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pids = dask_cluster.worker_pids()
    killed: dict[str, float] = {}

    def kill(what: str, pid: int) -> None:
        if what not in killed:
            os.kill(pid, signal.SIGKILL)
            killed[what] = time.time() * 1000

    def note(news: Progress) -> None:
        if news.step > 0:
            kill("worker", pids["a"])

    outcomes = []
    with open_executor() as executor:
        for outcome in executor.execute(stacks, job, note):
            outcomes.append(outcome)
            if len(outcomes) == 1:
                kill("nanny", dask_cluster.workers["b"].pid)
            if len(outcomes) == 3:
                kill("scheduler", dask_cluster.scheduler.pid)
    assert killed.keys() == {"worker", "nanny", "scheduler"}
    shown = capfd.readouterr()
    assert "connected to tcp://127.0.0.1" in shown.out
    assert "Traceback" not in shown.err

    specs = [spec for stack in stacks for spec in stack]
    assert sorted(outcome.spec_hash for outcome in outcomes) == sorted(spec.spec_hash for spec in specs)
    assert all(outcome.failure is None and not outcome.stopped for outcome in outcomes)
    for spec in specs:
        kinds = [line["kind"] for line in lines(job, spec.spec_hash)]
        assert kinds.count("start") == kinds.count("end") == 1
        assert kinds[0] == "start"
        assert kinds[-1] == "end"
    gone_on = [
        spec
        for spec in specs
        for entries in [lines(job, spec.spec_hash)]
        if any(entries[0]["time"] < moment < entries[-1]["time"] for moment in killed.values())
    ]
    assert gone_on, "no run outlived a fault: all were begun again, or none was hit"

    here = replace(job, home=job.home / "here")
    torch.set_num_threads(1)
    for stack in stacks:  # what each process of the local executor does
        assert all(o.failure is None for o in work(stack, here, lambda news: None, lambda: False))
        for spec in stack:
            paths = (journal_path(each.home, job.study, spec.spec_hash) for each in (job, here))
            record, expected = map(read_journal, paths)
            assert record is not None
            assert expected is not None
            if len(stack) == 1:
                assert record.points == expected.points
            else:  # a fault may take a stack apart, and runs alone round differently
                assert record.points == [pytest.approx(point, rel=1e-2) for point in expected.points]
            assert record.environment["device"] == "cpu"


def test_closing_stops_at_a_measuring_point_and_leaves_the_workers(
    dask_cluster: DaskCluster, open_executor: Open, tiny: dict[str, Any], catalogue: Catalogue, job: Job
) -> None:
    tiny["fixed"].update(steps=100_000, measuring_points=2000)
    tiny["vary"] = {"train_size": [64], "seed": [0, 1, 2, 3, 4, 5, 6, 7, 8]}
    specs = expand(Study.model_validate(tiny), catalogue)
    before = dask_cluster.worker_pids()
    handed_out: list[int] = []
    news: list[Progress] = []

    def interrupt(item: Progress) -> None:
        news.append(item)
        with distributed.Client(dask_cluster.address, set_as_default=False) as client:
            handed_out.append(client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)))
        raise KeyboardInterrupt

    with open_executor() as executor, pytest.raises(KeyboardInterrupt):
        list(executor.execute([(spec,) for spec in specs], job, interrupt))
    assert handed_out[0] <= 4, "more tasks than two workers have room for"
    for spec in specs:
        path = journal_path(job.home, job.study, spec.spec_hash)
        record = read_journal(path)
        assert record is None or record.status is None
        Journal(path).__exit__()  # nobody holds its lock: no worker is still at it
    assert any((job.home / "checkpoints").rglob("*.ckpt"))
    assert dask_cluster.worker_pids() == before


@pytest.mark.usefixtures("_again_soon")
def test_a_task_waits_for_the_attempt_that_was_given_up(
    open_executor: Open, stacks: list[Stack], job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = stacks[-1]
    held = Journal(journal_path(job.home, job.study, stack[0].spec_hash))
    with open_executor() as executor:
        may_be_free_soon = executor._may_be_free_soon

        def let_go(spec_hash: str) -> bool:
            """Hold the journal until a worker has found it held."""
            held.__exit__()
            return may_be_free_soon(spec_hash)

        monkeypatch.setattr(executor, "_may_be_free_soon", let_go)
        [outcome] = executor.execute([stack], job, lambda news: None)
    assert executor._elsewhere_since.keys() == {stack[0].spec_hash}
    assert outcome.failure is None
    assert not outcome.elsewhere
    with open_executor() as executor:  # finished: told at once, and not trained again
        before = journal_path(job.home, job.study, stack[0].spec_hash).read_bytes()
        news: list[Progress] = []
        [again] = executor.execute([stack], job, news.append)
    assert again == replace(outcome, elsewhere=True)
    assert news == []
    assert journal_path(job.home, job.study, stack[0].spec_hash).read_bytes() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_stop_when_the_launcher_is_stopped_or_killed(
    nursery: Any,
    dask_cluster: DaskCluster,
    tiny: dict[str, Any],
    write_study: Callable[[dict[str, Any]], Path],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    tiny["fixed"].update(steps=100_000, measuring_points=2000)
    tiny["vary"] = {"train_size": [64], "seed": [0, 1, 2]}
    options = ["--offline", "--executor", "dask"]
    home = tmp_path / ".normlaw"
    environment = {"DASK_SCHEDULER_ADDRESS": dask_cluster.address}
    before = dask_cluster.worker_pids()

    def in_training() -> list[Path]:
        return [path for path in home.glob("journal/tiny/*.jsonl") if is_being_written(path)]

    launcher = nursery.launch(tmp_path, "run", write_study(tiny), *options, env=environment)
    wait_until(lambda: len(in_training()) == 2, while_running=launcher)
    os.kill(launcher, number)
    status = nursery.wait(launcher)
    told = (tmp_path / "out.txt").read_text()
    if number == signal.SIGINT:
        assert status == 130
        assert "Stopped. What is finished is kept" in told
        assert "Traceback" not in told
        assert in_training() == []
    wait_until(lambda: in_training() == [])
    assert "dashboard: http://127.0.0.1:" in told
    for path in home.glob("journal/tiny/*.jsonl"):
        record = read_journal(path)
        assert record is None or record.status is None
    assert dask_cluster.worker_pids() == before


class Crashes:
    """Sends SIGSEGV to the worker that trains, again and again or once, as a fault in a library would.

    Args:
        cluster: where the worker is.
        executor: whose run.
        home: where a worker at work has a file for its last words.
        times: how often.

    """

    def __init__(self, cluster: DaskCluster, executor: ClusterExecutor, home: Path, times: int) -> None:
        self.pids: list[int] = []
        self._cluster, self._launch, self._home, self._times = cluster, executor._errand.launch, home, times
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Crashes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        with distributed.Client(self._cluster.address, set_as_default=False) as client:
            while len(self.pids) < self._times and not self._over.wait(0.05):
                if not any(self._home.rglob("*.crash")) or not measured(self._home):
                    continue
                busy = client.run(stacks_in_training, self._launch, on_error="ignore")
                pids = pids_of_workers(client)
                for address, stacks in busy.items():
                    if stacks and address in pids and pids[address] not in self.pids:
                        os.kill(pids[address], signal.SIGSEGV)
                        self.pids.append(pids[address])


def measured(home: Path) -> bool:
    return any(b'"point"' in path.read_bytes() for path in home.glob("journal/*/*.jsonl"))


def test_a_run_whose_worker_crashes_goes_on_with_the_same_bits(
    dask_cluster: DaskCluster, open_executor: Open, tiny: dict[str, Any], catalogue: Catalogue, job: Job
) -> None:
    tiny["fixed"].update(steps=900, measuring_points=100)
    tiny["vary"] = {"train_size": [64], "seed": [0]}
    [spec] = expand(Study.model_validate(tiny), catalogue)
    with open_executor() as executor, Crashes(dask_cluster, executor, job.home, times=1) as crashes:
        [outcome] = executor.execute([(spec,)], job, lambda news: None)
    assert len(crashes.pids) == 1
    assert outcome.failure is None
    here = replace(job, home=job.home / "here")
    torch.set_num_threads(1)
    assert all(o.failure is None for o in work((spec,), here, lambda news: None, lambda: False))
    found, expected = (read_journal(journal_path(j.home, job.study, spec.spec_hash)) for j in (job, here))
    assert found is not None
    assert expected is not None
    assert found.points == expected.points


@pytest.mark.usefixtures("_again_soon")
def test_a_run_whose_workers_crash_each_time_fails_with_the_signals_name(
    dask_cluster: DaskCluster, open_executor: Open, tiny: dict[str, Any], catalogue: Catalogue, job: Job
) -> None:
    def allow(failures: int) -> Callable[..., int]:
        def set_it(dask_scheduler: Any) -> int:
            before, dask_scheduler.allowed_failures = dask_scheduler.allowed_failures, failures
            return int(before)

        return set_it

    tiny["fixed"].update(steps=10**8, measuring_points=1)  # gets no further than the first measurement
    tiny["vary"] = {"train_size": [64], "seed": [0]}
    [spec] = expand(Study.model_validate(tiny), catalogue)
    with distributed.Client(dask_cluster.address, set_as_default=False) as client:
        before = client.run_on_scheduler(allow(0))  # else Dask has each task done four times by itself
        try:
            with open_executor() as executor, Crashes(dask_cluster, executor, job.home, times=100) as crashes:
                [outcome] = executor.execute([(spec,)], job, lambda news: None)
        finally:
            client.run_on_scheduler(allow(before))
    assert len(crashes.pids) >= 3  # more where Dask has had a task done again before it gave it up
    assert outcome.failure is not None
    assert "its workers were lost before it got any further, each time" in outcome.failure
    assert "a library crashed in its process (SIGSEGV, segmentation fault)" in outcome.failure
    assert "Fatal Python error: Segmentation fault" in outcome.traceback
    record = read_journal(journal_path(job.home, job.study, spec.spec_hash))
    assert record is not None
    assert record.status == "failed"


def test_workers_that_cannot_import_torch_are_replaced(
    dask_cluster: DaskCluster, open_executor: Open, stacks: list[Stack], job: Job
) -> None:
    def unable() -> None:
        sys.modules["torch"] = None  # type: ignore[assignment]  # as after an import that failed half-way

    with distributed.Client(dask_cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2)
        before = set(pids_of_workers(client).values())
        with open_executor() as executor:
            client.run(unable)
            [outcome] = executor.execute([stacks[-1]], job, lambda news: None)
        assert outcome.failure is None
        assert not before >= set(pids_of_workers(client).values())
