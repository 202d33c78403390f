"""A second Ctrl-C leaves no job in the queue of a batch system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from normlaw_tests import processes
from normlaw_tests.launches import FromNursery, Nursery, Process
from normlaw_tests.waiting import wait_until

pytest.importorskip("distributed", reason="needs the extra 'cluster' (Dask)")

SUBMIT = """#!/bin/sh
number=$$
echo $number >> "{folder}/submitted"
[ -e "{folder}/slow" ] && while [ ! -e "{folder}/hurry" ]; do sleep 0.05; done
echo "Submitted batch job $number"
"""
CANCEL_ONE_NEVER = """#!/bin/sh
echo "$@" >> "{folder}/cancelled"
[ $# -eq 1 ] && while kill -0 "$PPID"; do sleep 0.05; done
exit {status}
"""


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """Return a folder with an sbatch whose jobs wait for ever, and an scancel that hangs on a single job."""
    folder = tmp_path / "queue"
    folder.mkdir()
    write(folder / "sbatch", SUBMIT)
    write(folder / "scancel", CANCEL_ONE_NEVER, status=0)
    return folder


def write(command: Path, text: str, **values: object) -> None:
    command.write_text(text.format(folder=command.parent, **values))
    command.chmod(0o755)


def numbers(file: Path) -> list[list[str]]:
    return [sorted(line.split()) for line in file.read_text().splitlines()] if file.exists() else []


@contextmanager
def launched(
    folder: Path, *arguments: str | Path, err: Path, env: dict[str, str], nursery: Nursery | None
) -> Iterator[Process]:
    """Launch in a folder, from a nursery or as users do, while the block lasts."""
    if nursery is not None:
        yield FromNursery(nursery, nursery.launch(folder, *arguments, err=err, env=env))  # its fixture ends it
        return
    options: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "start_new_session": True}
    command, environment = [sys.executable, "-m", "normlaw", *arguments], processes.without() | env
    with (
        err.open("w") as told,
        processes.running(command, env=environment, stderr=told, **options) as launcher,
    ):
        yield launcher


def stop_hard(nursery: Nursery | None, queue: Path, study: Path, before_the_second: Callable[[], None]) -> str:
    """Launch, press Ctrl-C twice once both jobs are in the queue, and return what the launch says."""
    configuration = queue / "cluster.yaml"
    jobs = {"jobs": 2, "cores": 1, "memory": "1 GB", "interface": "lo"}
    configuration.write_text(yaml.safe_dump({**jobs, "scheduler_options": {"dashboard_address": ":0"}}))
    told = queue / "told"
    command = ("run", study, "--offline", "--executor", "slurm", "--cluster-config", configuration)
    environment = {"PATH": f"{queue}:{os.environ['PATH']}"}
    with launched(queue, *command, err=told, env=environment, nursery=nursery) as launcher:
        wait_until(lambda: len(numbers(queue / "submitted")) == 2, while_running=launcher.pid)
        os.killpg(launcher.pid, signal.SIGINT)  # as a terminal does, sbatch included
        wait_until(lambda: "Stopping: " in told.read_text(), while_running=launcher.pid)
        before_the_second()
        os.killpg(launcher.pid, signal.SIGINT)
        assert launcher.wait() == 130
    assert "Stopped at once" in told.read_text()
    assert told.read_text().count("Stopped") == 1
    assert "Traceback" not in told.read_text()
    return told.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("status", [0, 1])
def test_queued_jobs_are_cancelled(
    status: int,
    queue: Path,
    tiny: dict[str, Any],
    write_study: Callable[[dict[str, Any]], Path],
    nursery: Nursery,
) -> None:
    write(queue / "scancel", CANCEL_ONE_NEVER, status=status)
    tiny["vary"] = {"train_size": [32], "seed": [0, 1]}

    def wait_for_the_clean_way() -> None:
        wait_until(lambda: len(numbers(queue / "cancelled")) == 2)

    told = stop_hard(nursery if status else None, queue, write_study(tiny), wait_for_the_clean_way)
    jobs = sorted(job for [job] in numbers(queue / "submitted"))
    assert numbers(queue / "cancelled")[-1] == jobs
    assert f"scancel {' '.join(numbers_as_told(told))}" in told
    assert sorted(numbers_as_told(told)) == jobs
    assert ("If jobs are left, cancel them with: scancel" in told) == bool(status)


@pytest.mark.slow
def test_jobs_that_are_being_submitted_are_cancelled_too(
    queue: Path, tiny: dict[str, Any], write_study: Callable[[dict[str, Any]], Path], nursery: Nursery
) -> None:
    (queue / "slow").touch()
    tiny["vary"] = {"train_size": [32], "seed": [0, 1]}
    told = stop_hard(nursery, queue, write_study(tiny), (queue / "hurry").touch)
    jobs = sorted(job for [job] in numbers(queue / "submitted"))
    assert sorted(numbers_as_told(told)) == jobs
    assert jobs in numbers(queue / "cancelled")


def numbers_as_told(told: str) -> list[str]:
    return told.partition("Cancelling the jobs: scancel ")[2].partition(" (")[0].split()
