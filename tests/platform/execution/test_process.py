"""A worker process: errands, news, stopping, and what is said of its death."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import Any

import pytest

from normlaw.execution.process import Died, Done, Failed, Message, News, Ready, WorkerProcess


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    process = WorkerProcess()
    yield process
    process.kill()


def hear(worker: WorkerProcess) -> Iterator[Message]:
    """Yield messages until the process waits for an errand, or is dead."""
    while True:
        wait(list(worker.handles))
        for message in worker.messages():
            yield message
            if not isinstance(message, News):
                return


def do(worker: WorkerProcess, errand: Callable[..., Any], *arguments: Any) -> list[Message]:
    if not worker.ready:
        assert list(hear(worker)) == [Ready()]
    worker.give(errand, *arguments)
    return list(hear(worker))


def double(number: int, tell: Callable[[Any], None], stopped: Callable[[], bool]) -> int:
    tell("doubling")
    return 2 * number


def until_stopped(tell: Callable[[Any], None], stopped: Callable[[], bool]) -> str:
    tell("begun")
    while not stopped():
        pass
    return "stopped"


def say_goodbye(code: object, tell: object, stopped: object) -> None:
    sys.exit(code)  # type: ignore[arg-type]


def leave(code: int, tell: object, stopped: object) -> None:
    os._exit(code)


def read_null(tell: object, stopped: object) -> None:
    ctypes.string_at(0)


def signal_itself(number: int, tell: object, stopped: object) -> None:
    signal.raise_signal(number)


def test_errands_one_after_another(worker: WorkerProcess) -> None:
    assert do(worker, double, 21) == [News("doubling"), Done(42)]
    assert do(worker, double, 4) == [News("doubling"), Done(8)]
    pid = worker._process.pid
    assert pid is not None
    worker.end()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_errand_hears_that_it_is_to_stop(worker: WorkerProcess) -> None:
    assert list(hear(worker)) == [Ready()]
    worker.give(until_stopped)
    messages = hear(worker)
    assert next(messages) == News("begun")
    worker.ask_to_stop()
    assert list(messages) == [Done("stopped")]
    assert do(worker, double, 1) == [News("doubling"), Done(2)], (
        "a late request to stop is not for the next one"
    )


def test_sys_exit_is_a_failure_like_any_other(worker: WorkerProcess) -> None:
    [failed] = do(worker, say_goodbye, 7)
    assert isinstance(failed, Failed)
    line = say_goodbye.__code__.co_firstlineno + 1
    assert failed.failure.reason == f"it called sys.exit(7) ({__file__}, line {line})"
    assert "SystemExit: 7" in failed.failure.traceback
    assert do(worker, double, 1)[-1] == Done(2)


@pytest.mark.parametrize(
    "number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE]
)
def test_a_crash_names_its_signal_and_its_place(worker: WorkerProcess, number: signal.Signals) -> None:
    [died] = do(worker, signal_itself, number)
    assert isinstance(died, Died)
    assert died.exit_code == -number
    assert died.by_itself
    line = signal_itself.__code__.co_firstlineno + 1
    assert died.failure.reason.startswith(f"a library crashed in its process ({number.name}, ")
    assert died.failure.reason.endswith(f"at {__file__}, line {line}")
    assert "most recent call first" in died.failure.traceback


def test_a_real_crash_in_c(worker: WorkerProcess) -> None:
    [died] = do(worker, read_null)
    assert isinstance(died, Died)
    assert "SIGSEGV, segmentation fault" in died.failure.reason
    assert f"{__file__}, line {read_null.__code__.co_firstlineno + 1}" in died.failure.reason


def test_a_killed_process_is_no_crash(worker: WorkerProcess) -> None:
    [died] = do(worker, signal_itself, signal.SIGKILL)
    assert isinstance(died, Died)
    assert not died.by_itself
    assert "SIGKILL" in died.failure.reason
    assert "out-of-memory killer" in died.failure.reason


def test_code_that_ends_the_process_is_told(worker: WorkerProcess) -> None:
    [died] = do(worker, leave, 3)
    assert isinstance(died, Died)
    assert died.by_itself
    assert "exit code 3" in died.failure.reason


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_stops_the_launcher_does_not_reach_an_errand(
    worker: WorkerProcess, number: signal.Signals
) -> None:
    assert do(worker, signal_itself, number) == [Done(None)]
