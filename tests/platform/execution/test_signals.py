"""Signals that come at an awkward moment: each counts once, and no process is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from normlaw.execution.choice import LocalExecutor
from normlaw.execution.job import Job
from normlaw.execution.process import WorkerProcess
from normlaw_tests import processes

COUNTING = """
import os, signal
from normlaw.execution.signals import put_off

before, met = signal.pthread_sigmask(signal.SIG_BLOCK, ()), []
handlers = {number: lambda number, frame: met.append(number) for number in (signal.SIGINT, signal.SIGTERM)}
for number, handler in handlers.items():
    signal.signal(number, handler)
counted, by_signals = os.pipe()
os.set_blocking(by_signals, False)
signal.set_wakeup_fd(by_signals)
with put_off():
    with put_off():
        os.kill(os.getpid(), signal.SIGTERM)
        assert met == []
    os.kill(os.getpid(), signal.SIGINT)
    assert met == []
assert met == [signal.SIGTERM, signal.SIGINT] or met == [signal.SIGINT, signal.SIGTERM], met
assert sorted(os.read(counted, 100)) == [signal.SIGINT, signal.SIGTERM]
assert {number: signal.getsignal(number) for number in handlers} == handlers
assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
"""


def test_what_is_put_off_is_met_and_counted_once() -> None:
    processes.python("-c", COUNTING, check=True)


IN_FORCE_AGAIN = """
import os, signal
from normlaw.execution import signals

def interrupt(number, frame):
    raise KeyboardInterrupt(number)

put_back = signal.signal
def interrupted(number, handler):
    if handler is interrupt and number == signal.SIGINT:
        put_back(number, handler)
        os.kill(os.getpid(), signal.SIGINT)
    return put_back(number, handler)

for number in signals.SIGNALS:
    signal.signal(number, interrupt)
for number in (signal.SIGINT, signal.SIGTERM):
    try:
        with signals.put_off():
            signal.signal = interrupted  # another Ctrl-C while the handlers are put back
            if number == signal.SIGTERM:
                signal.signal = put_back
                os.kill(os.getpid(), number)
    except KeyboardInterrupt as met:
        assert met.args == (number,), met.args
    else:
        raise AssertionError("nothing was met")
"""


def test_an_interruption_while_handlers_are_put_back_leaves_them_in_force() -> None:
    processes.python("-c", IN_FORCE_AGAIN, check=True)


BUSY_THREAD = """
import os, signal, sys, time
from normlaw.execution import interrupts

at_once = interrupts.say
def say_late(text):
    time.sleep(0.5)  # as on a machine with other things to do
    at_once(text)

interrupts.say = say_late
try:
    with interrupts.interruptible("at once"):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
except KeyboardInterrupt:
    print("Stopped.", file=sys.stderr)
"""


def test_ctrl_c_is_acknowledged_before_all_is_over() -> None:
    done = processes.python("-c", BUSY_THREAD, check=True)
    first, second = done.stderr.splitlines()
    assert first.startswith("Stopping: ")
    assert second == "Stopped."


BOTH_WAYS = """
import os, signal, sys, time
from normlaw.execution import interrupts

def act():
    gone.set()
    time.sleep(0.3)  # the main thread comes to its clean end meanwhile

gone = __import__("threading").Event()
interrupts.last_acts.append(act)
with interrupts.interruptible("Stopped at once.") as asked:
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:
        if sys.argv[1] == "late":
            asked.require_last_word()
            print("Stopped.", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGINT)
        gone.wait()
        asked.require_last_word()
        print("Stopped.", file=sys.stderr)
"""


@pytest.mark.parametrize(("second", "told"), [("early", "Stopped at once."), ("late", "Stopped.")])
def test_one_thread_alone_says_that_all_was_stopped(second: str, told: str) -> None:
    done = processes.python("-c", BOTH_WAYS, second)
    assert done.returncode == 130
    assert done.stderr.splitlines()[1:] == [told]


WHILE_STARTING = """
import os, signal, threading, time
from multiprocessing import util
from normlaw.execution import interrupts
from normlaw.execution.process import WorkerProcess

acknowledged = threading.Event()
say, spawn = interrupts.say, util.spawnv_passfds

def note(text):
    say(text)
    acknowledged.set()

def press_twice(path, arguments, passed):
    pid = spawn(path, arguments, passed)
    if any("spawn_main" in str(argument) for argument in arguments):
        print(pid, flush=True)
        os.kill(os.getpid(), signal.SIGINT)
        acknowledged.wait()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)  # the thread has every opportunity to end all too early
    return pid

interrupts.say, util.spawnv_passfds = note, press_twice
with interrupts.interruptible("at once"):
    try:
        WorkerProcess()
    except KeyboardInterrupt:
        threading.Event().wait()
"""


def test_a_hard_stop_ends_the_process_that_is_being_started() -> None:
    done = processes.python("-c", WHILE_STARTING)
    assert done.returncode == 130
    assert done.stderr.splitlines()[1:] == ["at once"]
    assert not Path(f"/proc/{int(done.stdout)}").exists()


def test_a_process_that_was_taken_over_ends_with_its_executor(job: Job) -> None:
    process = WorkerProcess()
    with LocalExecutor() as executor:
        executor.take(process)
        executor.execute([], job, print)  # interrupted before the first run was asked for
    assert process._process.exitcode is not None
