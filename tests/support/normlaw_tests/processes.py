"""Start processes so that none outlives the test that started it, also when the test process is killed.

Every process that descends from a test process carries a mark in its environment, and what `running`, `run`
and `start` begin a mark of its own below it. By the marks everything is found, whoever has become its parent:
at the end of a `with running(...)` block, at the end of a test file (`left_behind`), and when the test process
itself is gone (the guardian, a process of its own). It takes Linux's /proc; elsewhere only direct children end.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from normlaw_tests import guardian
from normlaw_tests.guardian import VARIABLE

Argument = str | os.PathLike[str]
LASTING = "session"
"""Begins the own part of the mark of what lasts as long as the test process: a server that files share, say."""
SECONDS_TO_END = 300.0
"""How long something that is ending may take on a busy machine before it counts as left behind."""
_numbers = itertools.count()


def guard() -> None:
    """Mark this process's descendants from now on, and have a guardian kill them once this process is gone.

    They hear an interrupt too, if this process does not, as when a shell has put it in the background.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    unmarked = without(VARIABLE)  # the guardian of a test process above this one must not take this one's
    os.environ[VARIABLE] = mark = f"{os.getpid()}-{time.time_ns()}"
    if hasattr(os, "pidfd_open"):
        subprocess.Popen(
            [sys.executable, "-I", "-S", str(guardian.__file__), str(os.getpid()), mark],
            env=unmarked,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def start(
    command: Sequence[Argument], *, env: Mapping[str, str] | None = None, lasting: bool = False, **options: Any
) -> subprocess.Popen[Any]:
    """Start a process, by default with this one's environment; whoever starts it ends it by `stop`.

    `running` does that by itself. `lasting` says that it is shared by files of tests and ends with the session.
    Options are those of `subprocess.Popen`.
    """
    mark = f"{os.environ[VARIABLE]}/{LASTING if lasting else ''}{next(_numbers)}"
    environment = {**(os.environ if env is None else env), VARIABLE: mark}
    process = subprocess.Popen([os.fspath(word) for word in command], env=environment, **options)
    process.test_mark = mark  # type: ignore[attr-defined]
    return process


def stop(process: subprocess.Popen[Any]) -> None:
    """Kill a process that `start` has begun, if it is still there, and whatever it began."""
    process.kill()
    guardian.kill(process.test_mark)  # type: ignore[attr-defined]
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was written to it is not read any more
                pipe.close()


@contextmanager
def running(command: Sequence[Argument], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a process while the block lasts; at its end, it and all that it began are killed. See `start`."""
    process = start(command, **options)
    try:
        yield process
    finally:
        stop(process)


def run(
    command: Sequence[Argument],
    *,
    input: str | bytes | None = None,  # noqa: A002 - as subprocess.run calls it
    check: bool = False,
    stdout: int | IO[Any] = subprocess.PIPE,
    stderr: int | IO[Any] = subprocess.PIPE,
    text: bool = True,
    **options: Any,
) -> subprocess.CompletedProcess[Any]:
    """Run a process until it ends, and return its status and output, as text.

    It has no time limit, because how long it takes says how busy the machine is: a test that hangs is ended by
    pytest-timeout, and the process with it. With `check`, another status than 0 is an error that shows
    what the process said. Other options are those of `start`.
    """
    stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
    options.setdefault("stdin", stdin)
    with running(command, stdout=stdout, stderr=stderr, text=text, **options) as process:
        out, err = process.communicate(input)
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    assert not check or done.returncode == 0, f"{done.args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def python(*arguments: Argument, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run this Python with arguments; see `run`."""
    return run([sys.executable, *arguments], **options)


def has_ended(pid: int) -> bool:
    """Return whether a process is no more, or waits for its parent to take note of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def without(*names: str) -> dict[str, str]:
    """Return this process's environment without some variables, by default those that configure normlaw."""
    names = names or ("MLFLOW_TRACKING_URI", "NORMLAW_HOME")
    return {name: value for name, value in os.environ.items() if name not in names}


def left_behind() -> list[str]:
    """Return the commands that still run though the tests that began them have ended, and kill them.

    What multiprocessing and torch keep until this process ends, to serve it, is none of them.
    """
    mark = os.environ[VARIABLE]
    deadline = time.monotonic() + SECONDS_TO_END
    while left := {pid: _command(pid) for pid in guardian.marked(mark) if not _is_kept(pid)}:
        if time.monotonic() > deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return list(left.values())
        time.sleep(0.1)
    return []


def _is_kept(pid: int) -> bool:
    command = _command(pid)
    if not command or any(own in command for own in ("multiprocessing.resource_tracker", "torch/_inductor")):
        return True  # without a command: it is ending
    with contextlib.suppress(OSError):
        return f"{VARIABLE}={os.environ[VARIABLE]}/{LASTING}" in Path(f"/proc/{pid}/environ").read_text(
            "latin-1"
        )
    return True


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").replace("\0", " ").strip()
    except OSError:
        return ""
