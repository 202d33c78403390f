"""Workers that are forked from one process that has imported torch, instead of importing it each.

Python's fork server does it: a process that is started anew, imports, and then forks one process after the
other. It does no work, so that it has no threads, which a fork would lose; where it has some all the same, and
where it cannot be had at all, workers are spawned as before. It is begun first of all, and imports while the
launcher does. Only the command line has it: a program that calls `normlaw.run` may change its environment and
its path between two calls, and may have a fork server of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import suppress
from multiprocessing import resource_tracker

import normlaw
from normlaw.execution import process
from normlaw.execution.signals import beginning, put_off

PRELOADED = "normlaw.execution.preloaded"
SECONDS_TO_ANSWER = 120.0

wanted = False
"""Whether this process is a command line's own, so that a fork server may be had."""
_begun = False


def begin() -> None:
    """Have the process started that workers are to be forked from, if it may be; `settle` waits for it."""
    global _begun  # noqa: PLW0603  # as the server itself, which belongs to the process
    spawned = process.CONTEXT.get_start_method() == "spawn"
    if _begun or not wanted or not spawned or not sys.platform.startswith("linux"):
        return
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload([PRELOADED])
    resource_tracker.ensure_running()  # it would unblock the signals
    with (
        suppress(OSError),
        put_off(),
        beginning,
        process.main_module_hidden(),
    ):  # a signal is the launcher's alone
        forkserver.ensure_running()
        _begun = True


def settle() -> None:
    """Wait until it has imported all, and have workers forked from it where it is sound.

    It is asked by a process that does nothing else, so that an interruption meanwhile leaves nothing behind.
    """
    if not _begun:
        return
    context = multiprocessing.get_context("forkserver")
    with process.main_module_hidden():
        asked = context.Process(target=_judge, args=(normlaw.__file__,), name="normlaw nest", daemon=True)
        try:
            asked.start()
            asked.join(SECONDS_TO_ANSWER)
        except (OSError, EOFError):  # it has died
            return
    if asked.exitcode == 0:
        process.CONTEXT = context
    else:
        asked.kill()


def _judge(where: str) -> None:
    """Exit with 0 where the process that this one is forked from has one thread, and the launcher's normlaw."""
    threads = len(os.listdir(f"/proc/{os.getppid()}/task"))
    sys.exit(0 if threads == 1 and "torch" in sys.modules and normlaw.__file__ == where else 1)
