"""Launches beside one another, without a server, without their file, on a disk that cannot be written to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from normlaw.tracking.journal import Journal
from normlaw.tracking.record import read_journal
from normlaw_tests.processes import run
from normlaw_tests.waiting import wait_until

pytestmark = pytest.mark.slow

Write = Callable[[dict[str, Any]], Path]


def journals(folder: Path) -> list[Path]:
    return sorted(folder.glob(".normlaw/journal/*/*.jsonl"))


def told(folder: Path) -> str:
    return (folder / "out.txt").read_text()


def test_two_runners_train_each_run_once_and_both_tell_of_all(
    nursery: Any, desk: Any, small: dict[str, Any], write_study: Write
) -> None:
    study = str(write_study(small))
    arguments = ("run", study, "--max-parallel", "1", "--device", "cpu")
    one, two = nursery.launch(desk.folder, *arguments), nursery.launch(desk.folder, *arguments)
    assert [nursery.wait(one), nursery.wait(two)] == [0, 0], told(desk.folder)
    lines = [
        line for line in told(desk.folder).splitlines() if line.startswith("small: ") and " trained" in line
    ]
    trained = [int(line.split(" trained")[0].rsplit(" ", 1)[-1]) for line in lines]
    assert sum(trained) == 6, lines
    others = [sum(int(word) for word in line.replace(",", "").split() if word.isdigit()) for line in lines]
    assert others == [6, 6], lines  # trained here, there before, or trained by the other: all six
    assert sorted(run.info.status for runs in desk.runs().values() for run in runs) == ["FINISHED"] * 6
    for path in journals(desk.folder):
        starts = [line for line in path.read_text().splitlines() if '"kind": "start"' in line]
        assert len(starts) == 1


def test_a_run_held_by_another_process_is_waited_for_and_taken_over(
    nursery: Any, desk: Any, small: dict[str, Any], write_study: Write
) -> None:
    small["vary"] = {"train_size": [32], "seed": [0]}
    spec = desk.specs[0]
    path = desk.folder / ".normlaw" / "journal" / "small" / f"{spec.spec_hash}.jsonl"
    with Journal(path) as held:
        held.start(spec, {})
        launch = nursery.launch(desk.folder, "run", str(write_study(small)), "--device", "cpu")
        wait_until(lambda: list(desk.folder.glob(".normlaw/journal/small/*.launch")), while_running=launch)
        time.sleep(2)  # time to do wrong: on a busy machine this sees less, and does not fail
        record = read_journal(path)
        assert record is not None
        assert record.points == []  # not touched
    assert nursery.wait(launch) == 0, told(desk.folder)
    assert "small: 1 trained" in told(desk.folder)


def test_offline_then_sync_and_resume_without_the_file(
    nursery: Any, desk: Any, small: dict[str, Any], write_study: Write
) -> None:
    study = write_study(small)
    offline = nursery.launch(desk.folder, "run", str(study), "--offline", "--device", "cpu")
    assert nursery.wait(offline) == 0, told(desk.folder)
    assert "Nothing was sent; send it with: normlaw sync small" in told(desk.folder)
    assert desk.runs() == {}
    study.unlink()
    assert nursery.wait(nursery.launch(desk.folder, "sync")) == 0, told(desk.folder)
    assert "small: 6 sent, 0 already there" in told(desk.folder)
    content = desk.content()
    assert len(desk.runs()) == 6
    assert nursery.wait(nursery.launch(desk.folder, "sync", "small")) == 0
    assert "small: 0 sent, 6 already there" in told(desk.folder)
    assert nursery.wait(nursery.launch(desk.folder, "resume", "small", "--device", "cpu")) == 0
    assert "small: 0 trained, 6 already there, 0 failed" in told(desk.folder)
    assert desk.content() == content
    assert nursery.wait(nursery.launch(desk.folder, "resume", "../small")) == 2
    assert "no study '../small' was begun in .normlaw: did you mean small?" in told(desk.folder)


def test_a_changed_study_is_new_runs_beside_the_old(
    nursery: Any, desk: Any, small: dict[str, Any], write_study: Write
) -> None:
    small["vary"] = {"train_size": [32], "seed": [0, 1]}
    assert nursery.wait(nursery.launch(desk.folder, "run", str(write_study(small)), "--device", "cpu")) == 0
    small["fixed"]["batch_size"] = 8
    assert nursery.wait(nursery.launch(desk.folder, "run", str(write_study(small)), "--device", "cpu")) == 0
    assert told(desk.folder).count("small: 2 trained, 0 already there") == 2
    assert len(desk.runs()) == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_launch_and_resume_finishes_it(
    nursery: Any, desk: Any, small: dict[str, Any], write_study: Write, number: signal.Signals
) -> None:
    small["fixed"] |= {"steps": 800, "measuring_points": 150}
    small["vary"] = {"train_size": [64], "seed": [0, 1]}
    launch = nursery.launch(desk.folder, "run", str(write_study(small)), "--device", "cpu")
    wait_until(lambda: sum(path.stat().st_size for path in journals(desk.folder)) > 6_000, while_running=launch)
    os.kill(launch, number)
    assert nursery.wait(launch) == 128 + number, told(desk.folder)
    assert "go on with: normlaw resume small" in told(desk.folder)
    assert "Traceback" not in told(desk.folder)
    assert nursery.wait(nursery.launch(desk.folder, "resume", "small", "--device", "cpu")) == 0
    statuses = [run.info.status for runs in desk.runs().values() for run in runs]
    assert statuses == ["FINISHED"] * 2
    for path in journals(desk.folder):
        steps = [p["step"] for p in (json.loads(line).get("values") for line in path.open()) if p]
        assert steps == sorted(set(steps))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 32 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system takes root")
    made = run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", folder])
    if made.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield folder
    run(["umount", "-l", folder], check=True)


def test_a_full_disk_stops_runs_with_one_clear_message_and_room_lets_them_go_on(
    nursery: Any, desk: Any, small: dict[str, Any], write_study: Write, tiny_disk: Path
) -> None:
    (desk.folder / ".normlaw").symlink_to(tiny_disk)
    small["fixed"] |= {"steps": 200, "measuring_points": 80}
    small["vary"] = {"train_size": [32], "seed": [0, 1]}
    study = str(write_study(small))
    assert nursery.wait(nursery.launch(desk.folder, "run", study, "--device", "cpu")) == 1
    assert "No space left on device" in told(desk.folder)
    assert "Traceback" not in told(desk.folder)
    for path in journals(desk.folder):
        read_journal(path)  # what is there is whole
    run(["mount", "-o", "remount,size=8m", tiny_disk], check=True)
    assert nursery.wait(nursery.launch(desk.folder, "resume", "small", "--device", "cpu")) == 0, told(
        desk.folder
    )
    finished = [run for runs in desk.runs().values() for run in runs if run.info.status == "FINISHED"]
    assert len(finished) == 2


def test_a_folder_that_cannot_be_written_to_is_told_before_anything_is_trained(
    nursery: Any, desk: Any, small: dict[str, Any], write_study: Write
) -> None:
    (desk.folder / ".normlaw").write_text("a file where the folder should be")
    assert nursery.wait(nursery.launch(desk.folder, "run", str(write_study(small)), "--device", "cpu")) == 1
    assert "cannot be written: " in told(desk.folder)
    assert "NORMLAW_HOME chooses another folder" in told(desk.folder)
    assert "Traceback" not in told(desk.folder)
    assert desk.runs() == {}
