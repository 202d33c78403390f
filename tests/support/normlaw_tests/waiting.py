"""Wait for what is to happen, however long a busy machine takes over it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

from normlaw_tests.processes import has_ended

PAUSE = 0.02
"""Seconds between two looks."""


def wait_until(
    happened: Callable[[], object],
    *,
    while_running: subprocess.Popen[Any] | int | None = None,
    pause: float = PAUSE,
) -> None:
    """Return as soon as `happened` gives something true.

    There is no time limit: pytest-timeout ends a test that hangs, and says where it stood. Once the process
    that is to bring it about has ended, it has happened or it never will, which is an AssertionError; a launch
    of a nursery goes by its number. `pause` is the time between two looks, in seconds: longer where looking
    takes the processor from what is to come.
    """
    while not happened():
        if while_running is not None and (end := _end_of(while_running)):
            assert happened(), f"{end} before it happened"
            return
        time.sleep(pause)


def _end_of(process: subprocess.Popen[Any] | int) -> str:
    """Return how a process has ended; empty while it runs."""
    if isinstance(process, int):
        return f"process {process} has ended" if has_ended(process) else ""
    return "" if process.poll() is None else f"{process.args!r} has ended with {process.returncode}"
