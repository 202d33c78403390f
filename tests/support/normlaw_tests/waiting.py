"""Wait for what is to happen, however long a busy machine takes over it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

PAUSE = 0.02
"""Seconds between two looks."""


def wait_until(happened: Callable[[], object], *, while_running: subprocess.Popen[Any] | None = None) -> None:
    """Return as soon as `happened` gives something true.

    There is no time limit: pytest-timeout ends a test that hangs, and says where it stood. Once the process
    that is to bring it about has ended, it has happened or it never will, which is an AssertionError.
    """
    while not happened():
        if while_running is not None and while_running.poll() is not None:
            assert happened(), (
                f"{while_running.args!r} has ended with {while_running.returncode} before it happened"
            )
            return
        time.sleep(PAUSE)
