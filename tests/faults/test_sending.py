"""Sent whenever, however often and whatever was killed meanwhile, MLflow has every run once."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from mlflow import MlflowClient
from sqlalchemy import create_engine, text

from normlaw.tracking import keys
from normlaw.tracking.database import Database
from normlaw.tracking.journal import Journal
from normlaw.tracking.launch_file import Launch
from normlaw.tracking.launches import Launches
from normlaw.tracking.leftovers import AtServer, look_for_leftovers
from normlaw.tracking.reader import read_curves, read_description
from normlaw.tracking.sender import Sender
from normlaw.tracking.study_run import StudyRun
from normlaw.tracking.writer import open_experiment
from normlaw_registry import Exactness
from normlaw_tests.waiting import wait_until


def statuses(desk: Any) -> list[str]:
    return sorted(run.info.status for runs in desk.runs().values() for run in runs)


def test_sent_twice_changes_nothing(desk: Any, tables: Any) -> None:
    ends = ["finished", "failed", None, "finished", "finished", "failed"]
    for spec, status in zip(desk.specs, ends, strict=True):
        desk.journal(spec, status=status)
    first = desk.send()
    assert len(first.sent) == 6
    assert statuses(desk) == ["FAILED", "FAILED", "FINISHED", "FINISHED", "FINISHED", "KILLED"]
    before = tables(desk.uri)
    assert len(before["runs"]) == 6
    second = desk.send()
    assert second.sent == set()
    assert second.there == first.sent
    assert tables(desk.uri) == before
    server = AtServer.of(desk.client, open_experiment(desk.client, desk.study))
    assert look_for_leftovers(desk.home, desk.study.name, server).unsent == set()


CALLS = ("create_run", "log_batch", "log_inputs", "set_terminated")
"""What a run is sent by to a server."""
DIRECT = ("create_run", "fill", "log_inputs", "set_terminated")
"""What it is sent by into a database, its parameters and metrics at once."""


def kill_in_the_middle(desk: Any, call: str, before: bool) -> None:
    """Send from a process that is killed when it makes a call, before or after the database has it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL
        return
    owner = Database if call == "fill" else MlflowClient
    original = getattr(owner, call)

    def deadly(*arguments: Any, **options: Any) -> None:
        if not before:
            original(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        setattr(owner, call, deadly)
        desk.client = MlflowClient(desk.uri)
        desk.send()
    finally:
        os._exit(1)  # not reached when it is killed as it should be


@pytest.fixture(scope="module")
def undisturbed(lasting_desk: Any) -> tuple[Any, list[Any]]:
    """Return a desk that has sent two runs, and what MLflow then has."""
    for spec in lasting_desk.specs[:2]:
        lasting_desk.journal(spec)
    lasting_desk.send()
    return lasting_desk, lasting_desk.content()


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    ("call", "directly"),
    [*((call, True) for call in DIRECT), *((call, False) for call in CALLS)],
)
def test_what_a_killed_sender_left_is_completed(
    undisturbed: tuple[Any, list[Any]],
    desk: Any,
    tables: Any,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    directly: bool,
    before: bool,
) -> None:
    whole, content = undisturbed
    if not directly:
        monkeypatch.setattr(Database, "of", lambda client, experiment: None)
    for spec in desk.specs[:2]:
        desk.journal(spec)
    kill_in_the_middle(desk, call, before)
    desk.send()
    assert desk.content() == content
    assert len(tables(desk.uri)["metrics"]) == len(tables(whole.uri)["metrics"])


def test_a_database_has_the_rows_of_requests(make_desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    direct, asked = make_desk("direct"), make_desk("asked")
    for spec in direct.specs[:2]:
        direct.journal(spec)
    shutil.copytree(direct.home, asked.home, dirs_exist_ok=True)  # with the times
    direct.send()
    with monkeypatch.context() as patched:
        patched.setattr(Database, "of", lambda client, experiment: None)
        asked.send()
    for table, columns in {
        "params": "key, value",
        "metrics": "key, value, timestamp, step, is_nan",
        "latest_metrics": "key, value, timestamp, step, is_nan",
    }.items():
        found = []
        for desk in (direct, asked):
            engine = create_engine(desk.uri)
            with engine.connect() as base:
                query = f"SELECT name, {columns} FROM {table} JOIN runs USING (run_uuid)"
                found.append(sorted(map(tuple, base.execute(text(query))), key=repr))
            engine.dispose()
        assert found[0] == found[1]
        assert len(found[0]) > 4


def test_a_launch_that_was_killed_before_its_parameters_were_sent_gets_them(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = open_experiment(desk.client, desk.study)
    with Launch(desk.home, desk.study.name, {"runs": "6", "device": "cpu"}) as launch:
        with monkeypatch.context() as patched:
            patched.setattr(desk.client, "log_batch", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                Launches(desk.client, experiment, desk.home).run_of(launch.name, new=True)
        left = desk.client.search_runs([experiment.experiment_id])
        assert [run.data.params for run in left] == [{}]
    Launches(desk.client, experiment, desk.home).settle()
    (run,) = desk.client.search_runs([experiment.experiment_id])
    assert run.info.run_id == left[0].info.run_id
    assert run.data.params == {"runs": "6", "device": "cpu"}


def test_a_run_in_training_is_shown_live_and_each_point_sent_once(desk: Any) -> None:
    spec = desk.specs[0]
    with Sender(desk.writer(), desk.home, desk.study.name, live_seconds=0.05) as sender:
        with Journal(desk.path(spec)) as journal:
            journal.start(spec, {})
            for step in range(4):
                journal.point(desk.point(step))
                sender.in_training(spec.spec_hash)

                def shown(step: int = step) -> bool:
                    runs = [run for runs in desk.runs().values() for run in runs]
                    return any(
                        metric.step == step
                        for run in runs
                        if run.info.status == "RUNNING"
                        for metric in desk.client.get_metric_history(run.info.run_id, "test/error")
                    )

                wait_until(shown)
            journal.end("finished")
        sender.ended(spec.spec_hash)
        assert sender.finish(600)
    (run,) = desk.runs()[spec.spec_hash]
    assert run.info.status == "FINISHED"
    assert [m.step for m in desk.client.get_metric_history(run.info.run_id, "test/error")] == [0, 1, 2, 3]


def test_an_interrupted_launch_marks_what_it_showed_live_as_killed(desk: Any) -> None:
    spec = desk.specs[0]
    desk.journal(spec, points=3, status=None)
    with Sender(desk.writer(), desk.home, desk.study.name, live_seconds=0.05) as sender:
        sender.in_training(spec.spec_hash)
        wait_until(lambda: statuses(desk) == ["RUNNING"])
    assert statuses(desk) == ["KILLED"]
    desk.journal(spec, points=6)  # resumed, the same measurements again and more
    desk.send()
    assert statuses(desk) == ["FINISHED"]
    (run,) = desk.runs()[spec.spec_hash]
    assert len(desk.client.get_metric_history(run.info.run_id, "test/error")) == 6


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes to /dev/full")
def test_a_full_disk_is_not_waited_for_and_its_runs_are_sent_once_there_is_room(desk: Any) -> None:
    spec = desk.specs[0]
    desk.journal(spec)
    lock = desk.path(spec).with_suffix(".sending")
    lock.symlink_to("/dev/full")
    with Sender(desk.writer(), desk.home, desk.study.name) as sender:
        sender.ended(spec.spec_hash)
        assert not sender.finish(patience=10**6)
        (reason,) = sender.unsent.values()
        assert "No space left on device" in reason
        lock.unlink()
        assert sender.finish(patience=10**6)
    assert statuses(desk) == ["FINISHED"]


def test_a_run_measured_anew_with_other_numbers_is_another_mlflow_run(desk: Any) -> None:
    spec = desk.specs[0]
    desk.journal(spec, points=3, status=None)
    desk.send()
    desk.journal(spec, points=6, error=0.7)
    desk.send()
    old, new = desk.runs()[spec.spec_hash]
    assert (old.info.status, new.info.status) == ("KILLED", "FINISHED")
    assert keys.SUPERSEDED in old.data.tags
    history = desk.client.get_metric_history(new.info.run_id, "test/error")
    assert [metric.value for metric in history] == [desk.point(step, 0.7)["test/error"] for step in range(6)]


def test_a_failed_attempt_stays_beside_the_one_that_finished(desk: Any) -> None:
    spec = desk.specs[0]
    desk.journal(spec, status="failed")
    desk.send()
    desk.journal(spec)
    desk.send()
    assert statuses(desk) == ["FAILED", "FINISHED"]


def test_the_largest_seed_and_the_longest_name_are_stored(make_desk: Any, small: Any) -> None:
    wide = {"name": "cnn", "params": {"hidden": [4]}}
    vary = {
        "train_size": [32],
        "seed": [2**63 - 1],
        "architecture.params.channels": [[2] * 90],
    }
    desk = make_desk(fixed=small["fixed"] | {"architecture": wide}, vary=vary)
    desk.journal(desk.specs[0])
    assert desk.send().refused == {}
    ((run,),) = desk.runs().values()
    assert run.data.params["seed"] == str(2**63 - 1)
    assert len(run.info.run_name) == 250
    assert read_curves(desk.client, [StudyRun.of(run)])["seed"].tolist() == [2**63 - 1] * 5


@pytest.mark.slow
def test_two_senders_at_once_send_each_run_once(desk: Any) -> None:
    for spec in desk.specs:
        desk.journal(spec)
    names = [path.stem for path in desk.home.glob("journal/*/*.jsonl")]
    one, two = (Sender(desk.writer(), desk.home, desk.study.name) for _ in range(2))
    with one, two:
        for name in names:
            one.ended(name)
        for name in reversed(names):
            two.ended(name)
        assert one.finish(600)
        assert two.finish(600)
    assert one.sent | two.sent == set(names)
    assert not one.sent & two.sent
    assert statuses(desk) == ["FINISHED"] * 6


@pytest.fixture
def stray(desk: Any) -> Iterator[Any]:
    """Leave a second run of the same specification RUNNING, as a process killed at the wrong moment does."""
    spec = desk.specs[0]
    desk.journal(spec)
    desk.send()
    (run,) = desk.runs()[spec.spec_hash]
    tags = {keys.KIND: "training", keys.SPEC_HASH: spec.spec_hash}
    desk.client.create_run(run.info.experiment_id, tags=tags)
    return desk


def test_a_run_that_another_one_has_finished_is_marked(stray: Any) -> None:
    assert statuses(stray) == ["FINISHED", "RUNNING"]
    server = AtServer.of(stray.client, open_experiment(stray.client, stray.study))
    assert look_for_leftovers(stray.home, stray.study.name, server).unsent == {stray.specs[0].spec_hash}
    stray.send()
    assert statuses(stray) == ["FINISHED", "KILLED"]


def test_what_is_not_exact_is_known_at_the_server(desk: Any) -> None:
    noted, early, exact = desk.specs[:3]
    bound: Exactness = "upper_bound"
    for spec, at in ((noted, (1, 3)), (exact, ())):
        with Journal(desk.path(spec)) as journal:
            journal.start(spec, {})
            for step in range(4):
                journal.point(desk.point(step), {"weight_norm": bound} if step in at else {})
            journal.end("finished")
    desk.journal(early)  # as an earlier version wrote it
    earlier = desk.path(early).read_text().replace(', "inexact": {}', "")
    desk.path(early).write_text(earlier)
    desk.send()
    runs = {spec_hash: run for spec_hash, (run,) in desk.runs().items()}
    found = [StudyRun.of(runs[spec.spec_hash]) for spec in (noted, exact, early)]
    assert [dict(run.exactness) for run in found] == [
        {"weight_norm": "upper_bound"},
        {"weight_norm": "exact"},
        {},
    ]
    kept = [read_description(desk.client, run.artifacts)["inexact"] for run in found]
    assert kept == [{"weight_norm": {"upper_bound": [1, 3]}}, {}, None]
