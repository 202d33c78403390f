"""Processes that run tests, forked from one that has imported what tests import.

pytest-xdist begins each of its processes as a new Python, and each spends seconds importing what they all need.
Here one process imports it, and xdist's are forked from it, as are, from then on, the processes that train and
that tests begin; see forked.py.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

from execnet import gateway_io
from execnet.gateway_base import Popen2IO

from normlaw_tests import forked

SUPPORT = str(Path(__file__).parents[1])
"""Where what is preloaded is found."""
PRELOADED = "normlaw_tests.preloaded_for_tests"


def fork() -> None:
    """Have the processes that xdist begins on this machine from now on forked."""
    forkserver.set_forkserver_preload([PRELOADED])
    with patch.dict(
        os.environ, PYTHONPATH=os.pathsep.join(filter(None, (SUPPORT, os.environ.get("PYTHONPATH"))))
    ):
        forkserver.ensure_running()
    gateway_io.create_io = partial(_create_io, gateway_io.create_io)


def end() -> None:
    """End the process that the others were forked from, if this one has begun it; nothing is waited for."""
    module: Any = forkserver
    server = module._forkserver
    if server._forkserver_pid is not None:
        os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


def _create_io(original: Callable[..., Any], spec: Any, execmodel: Any) -> Any:
    if not spec.popen or spec.python:
        return original(spec, execmodel)
    return _ForkedIO(execmodel)


class _ForkedIO(Popen2IO):
    """What execnet has of a process that it began, for one that was forked."""

    def __init__(self, execmodel: Any) -> None:
        context = get_context("forkserver")
        child_in, to_child = context.Pipe(duplex=False)
        from_child, child_out = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(child_in, child_out, dict(os.environ)))
        self._process.start()
        child_in.close()
        child_out.close()
        outgoing, incoming = (os.dup(end.fileno()) for end in (to_child, from_child))
        to_child.close()
        from_child.close()
        super().__init__(os.fdopen(outgoing, "wb"), os.fdopen(incoming, "rb"), execmodel)

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


def _serve(standard_in: Connection, standard_out: Connection, environment: dict[str, str]) -> None:
    """Do what a Python does that execnet has begun: obey the line that comes in."""
    forked.ask_the_same_server()
    forked.everything = True
    os.environ.clear()
    os.environ.update(environment)
    forked.speak(standard_in, standard_out)
    exec(eval(sys.stdin.readline()), {"__name__": "__main__"})
