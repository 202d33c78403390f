"""What a test starts ends with it, whatever ends the test."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from normlaw_tests import processes
from normlaw_tests.guardian import VARIABLE, marked
from normlaw_tests.waiting import wait_until

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[1:]:  # a child in a session of its own, which no signal to a group reaches
    subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True)
os.write(1, f"{os.getpid()}\\n".encode())  # in one piece: several share a pipe
time.sleep(10_000)
"""


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists()


pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")


@pytest.mark.slow
def test_a_block_ends_what_it_began_and_what_that_began() -> None:
    with processes.running(
        [sys.executable, "-c", STUBBORN, STUBBORN], stdout=subprocess.PIPE, text=True
    ) as process:
        pids = [int(process.stdout.readline()) for _ in range(2)]
        assert all(map(alive, pids))
    wait_until(lambda: not any(map(alive, pids)))


@pytest.mark.slow
def test_what_a_killed_test_process_began_is_killed() -> None:
    """Another test process, killed as the kernel kills: what it began by any way is gone too."""
    test = f"""
import subprocess, sys
from normlaw_tests import processes
processes.guard()
command = [sys.executable, "-c", {STUBBORN!r}, {STUBBORN!r}]
processes.start(command)
subprocess.Popen(command)
input()
"""
    support = str(Path(processes.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with processes.running([sys.executable, "-c", test], env=environment, **pipes) as process:
        pids = [int(process.stdout.readline()) for _ in range(4)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not any(map(alive, pids)))


def test_what_stays_is_told_and_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "SECONDS_TO_END", 0.0)
    own = f"{os.environ[VARIABLE]}/of this test"
    monkeypatch.setenv(VARIABLE, own)
    forgotten = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True)
    assert int(forgotten.stdout.readline()) == forgotten.pid
    assert marked(own) == [forgotten.pid]
    lasting = processes.start([sys.executable, "-c", STUBBORN], lasting=True, stdout=subprocess.PIPE, text=True)
    assert lasting.stdout.readline()
    (left,) = processes.left_behind()
    assert "time.sleep" in left
    assert forgotten.wait() == -signal.SIGKILL
    assert lasting.poll() is None
    processes.stop(lasting)
    forgotten.stdout.close()
    assert processes.left_behind() == []


def test_a_status_that_is_checked_is_shown_with_what_was_said() -> None:
    with pytest.raises(AssertionError, match=r"(?s)3.*it said so"):
        processes.python("-c", "import sys; print('it said so'); sys.exit(3)", check=True)
    assert processes.python("-c", "print(input())", input="a line\n").stdout == "a line\n"


def test_an_event_that_cannot_come_any_more_is_told() -> None:
    with (
        processes.running([sys.executable, "-c", "raise SystemExit(4)"]) as process,
        pytest.raises(AssertionError, match="has ended with 4"),
    ):
        wait_until(lambda: False, while_running=process)


@pytest.mark.skipif(
    "PYTEST_XDIST_WORKER" not in os.environ or sys.platform != "linux", reason="one process runs the tests"
)
def test_processes_that_run_tests_are_forked_from_one_that_has_imported_everything() -> None:
    assert multiprocessing.parent_process() is not None, "xdist has begun it as a new Python: see testers.py"
