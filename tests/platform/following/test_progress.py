from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from normlaw.following.expected import expected_runs
from normlaw.following.follower import Follower
from normlaw.following.journals import JournalFolder
from normlaw.following.merging import account
from normlaw.following.progress import RunProgress, State
from normlaw.following.text import overview, whole
from normlaw.following.time_left import seconds_left
from normlaw.page.curves import CurveCache
from normlaw.study.home import begun_study
from normlaw.tracking import sqlite_file
from normlaw.tracking.journal import Journal
from normlaw.tracking.launch_file import Launch
from normlaw.tracking.study_run import StudyRun, unit_of
from normlaw_registry import InputError, load_catalogue

Begin = Callable[..., Journal]


def test_each_state_is_seen_as_it_is(begin: Begin, home: Path) -> None:
    follower = Follower(home, "small")
    assert follower.look().counts == {"finished": 0, "running": 0, "waiting": 6, "stopped": 0, "failed": 0}
    with Launch(
        home, "small", {"runs": "6", "device": "cpu", "executor": "local", "max_parallel": "2"}
    ) as launch:
        with begin(0, 0, 10, launch=launch.name) as journal:
            journal.end("finished")
        with begin(1, 0, 10, launch=launch.name) as journal:
            journal.end("failed", "loss is NaN", "Traceback: line 7")
        with begin(2, 0, 40, worker="there 2", launch=launch.name):
            progress = follower.look()
            assert progress.at_work
            assert [run.state for run in progress.runs] == ["finished", "failed", "running", *["waiting"] * 3]
            running = progress.runs[2]
            assert (running.step, running.steps, running.points) == (40, 100, 2)
            assert (running.test_error, running.log_norm, running.worker) == (0.5, 1.25, "there 2")
            assert progress.runs[3].name == "perceptron teacher_student P=16 seed=0"
            first, second = progress.workers
            assert (first.name, first.running, first.finished, first.failed) == ("here 1", (), 1, 1)
            assert (second.name, second.running) == ("there 2", (running.name,))
            text = whole(progress, logs=True)
            assert "small: 1 of 6 runs finished, 1 running, 3 waiting, 1 failed" in text
            assert "at work" in text
            assert "local, 2 at a time, on cpu" in text
            assert "40/100" in text
            assert "  loss is NaN\n  log: " in text
            assert "    Traceback: line 7" in text
    progress = follower.look()
    assert [run.state for run in progress.runs][2:4] == ["stopped", "waiting"]
    assert not progress.at_work
    assert progress.seconds_left is None
    assert "`normlaw resume small` goes on with it" in whole(progress)
    assert overview([progress]).splitlines()[1].split()[:5] == ["small", "1/6", "0", "4", "1"]


def test_what_a_launch_has_not_come_to_again_waits(begin: Begin, home: Path) -> None:
    with begin(0, 0, 10) as journal:
        journal.end("failed", "out of memory")
    with begin(1, 0, 10):
        pass
    expected = expected_runs(begun_study(home, "small"), load_catalogue())
    follower = Follower(home, "small")
    with Launch(home, "small", {}):
        progress = follower.look()
        later = [replace(launch, started=launch.started + 10_000) for launch in progress.launches]
        again = account(
            "small",
            None,
            expected=expected,
            journals=follower.folder.look(follower.folder.stamps()),
            launches=later,
            now=progress.looked,
        )
    assert [run.state for run in again.runs[:2]] == ["waiting", "waiting"]
    assert again.runs[0].reason == "out of memory"


def stored(run: str, status: str, failure: str = "") -> StudyRun:
    return StudyRun(
        run_id=f"id of {run}", spec_hash=run, name=f"named {run}", kind="training", status=status,
        start_time=1000, params={}, metrics={"epoch": 3.0, "test/error": 0.1, "log_norm/weight_norm": 2.0},
        measures={}, exactness={}, setting=None, norm="", artifacts="", failure=failure,
        tags={"normlaw.schema": "2"},
    )  # fmt: skip


def test_runs_of_other_machines_count_too(begin: Begin, home: Path) -> None:
    expected = expected_runs(begun_study(home, "small"), load_catalogue())
    hashes = list(expected)
    with begin(0, 0, 10) as journal:
        journal.end("finished")
    with begin(1, 0, 10):
        pass
    there = [
        stored(hashes[0], "RUNNING"),
        stored(hashes[1], "FINISHED"),
        stored(hashes[2], "FAILED", "no such file"),
        stored(hashes[3], "KILLED"),
        stored(hashes[4], "RUNNING"),
        stored("elsewhere", "FINISHED"),
    ]
    folder = JournalFolder(home, "small")
    journals = folder.look(folder.stamps())
    progress = account("small", "weight_norm", expected=expected, journals=journals, at_server=there, now=2000)
    states = ["finished", "finished", "failed", "stopped", "running", "waiting", "finished"]
    assert [run.state for run in progress.runs] == states
    assert progress.runs[0].run_id == f"id of {hashes[0]}"
    assert progress.runs[0].journal
    assert progress.runs[2].reason == "no such file"
    assert (progress.runs[4].step, progress.runs[4].steps, progress.runs[4].log_norm) == (3, 100, 2.0)
    assert progress.runs[6].name == "named elsewhere"


def run(state: State, step: int, updated: int) -> RunProgress:
    return RunProgress(
        name="a",
        run="b",
        state=state,
        step=step,
        steps=1000,
        started=0,
        updated=updated,
    )


def test_the_time_left_is_what_is_left_at_the_pace_of_now() -> None:
    running = [run("running", 500, 5000), run("running", 250, 2500)]  # 10 ms a step
    assert seconds_left(running) == pytest.approx(7.5)  # the longer one, not the mean of both
    assert seconds_left([*running, *[run("waiting", 0, 0)] * 4]) == pytest.approx((5 + 7.5 + 40) / 2)
    assert seconds_left([*running, run("finished", 1000, 10_000)]) == pytest.approx(7.5)
    assert seconds_left([run("waiting", 0, 0)]) is None
    assert seconds_left([run("running", 0, 0)]) is None


def test_mlflow_is_asked_as_seldom_as_it_is_slow_and_hides_nothing(begin: Begin, home: Path) -> None:
    now = [0.0]
    asked: list[float] = []

    def away(study: str) -> object:
        asked.append(now[0])
        now[0] += 2.0
        raise InputError("no MLflow server answers")

    follower = Follower(home, "small", away, clock=lambda: now[0])  # type: ignore[arg-type]
    for moment in (0.0, 30.0, 79.0, 80.0):
        now[0] = max(moment, now[0])
        assert len(follower.follow().runs) == 6
    assert asked == [0.0, 80.0]
    assert follower.look().notes == ("no MLflow server answers",)
    with pytest.raises(InputError, match="no MLflow server answers"):
        Follower(home, "other", away).follow()  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"no study '\.\./small' was begun"):
        Follower(home, "../small").look()


def test_mlflow_is_not_asked_again_as_long_as_its_store_is_known_to_be_the_same(
    begin: Begin, home: Path
) -> None:
    now, asked = [0.0], []
    stamp: list[object] = [None]

    def empty(study: str) -> object:
        asked.append(now[0])
        raise InputError(f"no study {study}")

    follower = Follower(home, "small", empty, lambda: now[0], stamp=lambda: stamp[0])  # type: ignore[arg-type]
    for stamp[0] in (None, "first", "first", "first", "second", "second", None, "second"):
        assert follower.follow().notes == ("no study small",)
        now[0] += 10.0
    assert asked == [0.0, 10.0, 40.0, 60.0, 70.0]


def test_the_stamp_of_a_store_tells_what_was_written_to_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    assert sqlite_file.stamp(path) is None
    with closing(sqlite3.connect(path)) as store:
        store.execute("CREATE TABLE of (numbers)")
        store.commit()
        assert sqlite_file.stamp(path) is None  # another change might look the same
        os.utime(path, (1000.0, 1000.0))
        first = sqlite_file.stamp(path)
        assert first is not None
        assert sqlite_file.stamp(path) == first
        store.execute("INSERT INTO of VALUES (1)")
        store.commit()
        os.utime(path, (2000.0, 2000.0))
        second = sqlite_file.stamp(path)
        assert second not in (None, first)
        store.execute("PRAGMA journal_mode = WAL").fetchone()
        store.execute("INSERT INTO of VALUES (2)")
        store.commit()
        os.utime(path, (2000.0, 2000.0))  # the file itself is as it was
        assert sqlite_file.stamp(path) is None
        os.utime(path.with_name("store.db-wal"), (2000.0, 2000.0))
        assert sqlite_file.stamp(path) not in (None, first, second)


def test_a_study_whose_plugin_is_gone_is_seen_as_far_as_its_journals_go(begin: Begin, home: Path) -> None:
    with begin(0, 0, 10) as journal:
        journal.end("finished")
    file = journal.path.with_name("study.yaml")
    file.write_text(file.read_text().replace("perceptron", "gone"))
    progress = Follower(home, "small").look()
    assert [run.state for run in progress.runs] == ["finished"]
    assert "which runs are still to come is not known" in progress.notes[0]
    assert "gone" in progress.notes[0]


def test_curves_of_a_journal_count_what_the_journal_says(begin: Begin, home: Path) -> None:
    follower = Follower(home, "small")
    with begin(0, 0, 10) as journal:
        journal.data("text", "digest", 8, 10, {"unit": "sequences of 64 tokens"})
        follower.look()
        curves = CurveCache().curves((), follower.journals, None)
    assert unit_of(curves.runs) == "sequences of 64 tokens"
