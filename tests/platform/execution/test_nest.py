"""Workers of the command line are forked from one process that has imported torch, and end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from normlaw_tests.processes import has_ended, running
from normlaw_tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc"),
]

ERRANDS = """
import os, signal, sys

def look(word, tell, stopped):
    there = [name for name in ("torch", "mlflow") if name in sys.modules]
    tell((os.getpid(), os.getppid(), there, len(os.listdir(f"/proc/{os.getppid()}/task"))))
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "wait":
        signal.pause()
    return os.environ["WORD"]
"""
THREADED = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
PROGRAM = """
import sys
from multiprocessing.connection import wait
from normlaw.execution import nest, process
from errands import look

nest.wanted, nest.PRELOADED = True, sys.argv[1]
nest.begin()
nest.settle()
print(process.CONTEXT.get_start_method(), flush=True)


def errand(word):
    worker = process.WorkerProcess()
    while True:
        wait(list(worker.handles))
        for message in worker.messages():
            match message:
                case process.Ready():
                    worker.give(look, word)
                case process.News(item):
                    print(*item[:2], *item[2], item[3], flush=True)
                case process.Done(result):
                    print(result, flush=True)
                    worker.end()
                    return
                case process.Died(exit_code):
                    print(exit_code, flush=True)
                    return


for word in sys.argv[2:]:
    errand(word)
"""

Start = Callable[..., AbstractContextManager["subprocess.Popen[str]"]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return what starts a program whose workers tell what they are, and then do each what a word says."""
    (tmp_path / "errands.py").write_text(ERRANDS)
    (tmp_path / "threaded.py").write_text(THREADED)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    @contextmanager
    def started(*words: str, preloaded: str = "normlaw.execution.preloaded") -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-c", PROGRAM, preloaded, *words]
        environment = {**os.environ, "PYTHONPATH": path, "WORD": "bird"}
        with running(command, stdout=subprocess.PIPE, text=True, env=environment) as program:
            yield program

    return started


def told(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


def test_workers_are_forked_from_a_process_of_one_thread_that_has_torch_and_their_ends_are_told(
    start: Start,
) -> None:
    with start("look", "die") as program:
        assert told(program) == "forkserver"
        _, nest, *there, threads = told(program).split()
        assert there == ["torch"]
        assert threads == "1"
        assert int(nest) not in (program.pid, os.getpid())
        assert told(program) == "bird"
        assert told(program).split()[1] == nest
        assert told(program) == str(-signal.SIGKILL)
        assert program.wait() == 0
        wait_until(lambda: has_ended(int(nest)))


def test_worker_and_nest_end_with_a_launcher_that_is_killed(start: Start) -> None:
    with start("wait") as program:
        told(program)
        worker, nest, *_ = told(program).split()
        program.kill()
        wait_until(lambda: has_ended(int(worker)) and has_ended(int(nest)))


def test_a_worker_ends_with_its_nest_and_the_launcher_hears_of_it(start: Start) -> None:
    with start("wait") as program:
        told(program)
        worker, nest, *_ = told(program).split()
        os.kill(int(nest), signal.SIGKILL)
        assert int(told(program)) != 0
        wait_until(lambda: has_ended(int(worker)))


def test_where_the_nest_is_not_sound_workers_are_spawned(start: Start) -> None:
    with start("look", preloaded="threaded") as program:
        assert told(program) == "spawn"
        _, launcher, *_ = told(program).split()
        assert int(launcher) == program.pid
        assert told(program) == "bird"
        assert program.wait() == 0


def test_a_nest_that_could_not_import_torch_is_not_sound(start: Start) -> None:
    with start(preloaded="nothing_of_this_name") as program:
        assert told(program) == "spawn"
        assert program.wait() == 0
