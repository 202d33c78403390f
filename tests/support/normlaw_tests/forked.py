"""Processes that train, begun by a test process: forked from one that has imported everything.

Importing torch takes a second or two of each process, and the tests begin hundreds. Here one process a test
process imports what all need, and begins the others by a fork. They have what a spawned process has: the
folder, path and environment of the test process, a pipe, an exit code, and an end with their parent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from normlaw.execution import process
from normlaw_tests.guardian import VARIABLE
from normlaw_tests.processes import LASTING

SUPPORT = str(Path(__file__).parents[1])
"""Where what is preloaded is found."""


class _Process(ForkServerProcess):
    """A process with the environment of the one that begins it, and not that of the one it is forked from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._environment = dict(os.environ)

    def start(self) -> None:
        before = {name: os.environ.get(name) for name in (VARIABLE, "PYTHONPATH")}
        os.environ[VARIABLE] += f"/{LASTING}-fork"  # what forks lasts as long as this process
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (SUPPORT, before["PYTHONPATH"])))
        try:
            forkserver.ensure_running()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        super().start()

    def run(self) -> None:
        os.environ.clear()
        os.environ.update(self._environment)
        super().run()


class _Context(ForkServerContext):
    Process = _Process


@contextmanager
def workers() -> Iterator[None]:
    """Have the workers that this process begins while the block lasts forked."""
    forkserver.set_forkserver_preload(["normlaw_tests.preloaded"])
    spawn, process.CONTEXT = process.CONTEXT, _Context()
    try:
        yield
    finally:
        process.CONTEXT = spawn
