"""Kill what a test process leaves behind, once that process is gone, however it ended.

Started by `processes.guard`, as `python guardian.py PID MARK`: waits until process PID has ended, then kills
every process whose environment holds `NORMLAW_TEST_PROCESS=MARK` or `=MARK/...`. A session of its own keeps it
from being killed together with the tests. It imports nothing of the project, so that it starts at once.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from pathlib import Path

VARIABLE = "NORMLAW_TEST_PROCESS"


def marked(mark: str) -> list[int]:
    """Return the processes, other than this one, that were started with a mark or one below it."""
    exact, below = f"{VARIABLE}={mark}".encode(), f"{VARIABLE}={mark}/".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is another user's
            entries = (folder / "environ").read_bytes().split(b"\0")
            if any(entry == exact or entry.startswith(below) for entry in entries):
                found.append(int(folder.name))
    return found


def kill(mark: str) -> None:
    """Kill all processes with a mark, those too that they start meanwhile."""
    while pids := marked(mark):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)  # a killed process is listed until the kernel has taken it down


def main(pid: int, mark: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(pid)], [], [])
    kill(mark)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
