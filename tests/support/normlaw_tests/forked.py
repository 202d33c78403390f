"""Processes that train, begun by a test process: forked from one that has imported everything.

Importing torch takes a second or two of each process, and the tests begin hundreds. Here one process a test
process imports what all need, and begins the others by a fork. They have what a spawned process has: the
folder, path and environment of the test process, a pipe, an exit code, and an end with their parent. So has a
command line that `normlaw` runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import IO, Any

from normlaw.execution import process
from normlaw_tests.guardian import VARIABLE
from normlaw_tests.processes import LASTING

SUPPORT = str(Path(__file__).parents[1])
"""Where what is preloaded is found."""
everything = False
"""Whether what forks this process's others has imported all that tests import; see testers.py."""
_output: tuple[str, str] | None = None
"""Files for what this process prints, if it was told; the processes that it begins print there too."""


class _Process(ForkServerProcess):
    """A process with the environment of the one that begins it, and not that of the one it is forked from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environment, self._output = dict(os.environ), _output

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
        os.environ.update(self.environment)
        if self._output is not None:
            _print_to(*self._output)
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


def normlaw(*arguments: str, env: Mapping[str, str], folder: Path = Path()) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end in a folder, and in an environment; see `program`."""
    return done(program, *arguments, folder=folder, env=env)


def done(
    target: Callable[..., None], *arguments: str, folder: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a function of a module in a process of its own to its end, as `begin` begins it."""
    with tempfile.TemporaryDirectory() as kept:
        out, err = Path(kept, "out"), Path(kept, "err")
        process = begin(target, *arguments, out=out, err=err, folder=folder, env=env)
        process.join()
        words = [target.__name__, *arguments]
        return subprocess.CompletedProcess(words, process.exitcode or 0, out.read_text(), err.read_text())


def begin(
    target: Callable[..., None],
    *arguments: Any,
    out: Path,
    err: Path | None = None,
    folder: Path,
    env: Mapping[str, str] | None = None,
) -> ForkServerProcess:
    """Begin a function of a module in a process of its own, in a folder.

    What it prints is added to `out`, and errors to `err`, by default `out`. Its environment is by default that
    of this process.
    """
    process = _Context().Process(target=_in, args=(str(folder), str(out), str(err or out), target, arguments))
    if env is not None:
        process.environment = {**env, VARIABLE: os.environ[VARIABLE]}
    process.start()
    return process


def of_this(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Begin a function of a module in a process of its own."""
    process = _Context().Process(target=target, args=arguments)
    process.start()
    return process


def pipe() -> tuple[Connection, Connection]:
    """Return the ends of a pipe, for reading and for writing, which a process that is begun may be given."""
    return _Context().Pipe(duplex=False)


def file(end: Connection, mode: str) -> IO[str]:
    """Return an end of a pipe as a file of text."""
    with closing(end):
        return os.fdopen(os.dup(end.fileno()), mode)


def speak(standard_in: Connection, standard_out: Connection) -> None:
    """Have this process read and write by pipes, as one that was begun with them."""
    for end, number in ((standard_in, 0), (standard_out, 1)):
        os.dup2(end.fileno(), number)
        end.close()
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)


def context() -> ForkServerContext:
    """Return what has a process that was begun here begin others in its turn, forked from the same one."""
    ask_the_same_server()
    return _Context()


def ask_the_same_server() -> None:
    """Let a forked process know that what it was forked from is there, and can fork others for it."""
    server: Any = forkserver
    server._forkserver.ensure_running = server.ensure_running = resource_tracker.ensure_running  # it is there


def program(*arguments: str) -> None:
    """Be the command line, with workers that are forked, too; PYTHONPATH is searched for plugins first."""
    from normlaw.cli.program import main
    from normlaw.study import home
    from normlaw_registry import load_catalogue

    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    load_catalogue.cache_clear()
    home.HOME = Path(os.environ.get("NORMLAW_HOME", ".normlaw"))  # read when the module was imported
    process.CONTEXT = context()
    main([*arguments], standalone_mode=True)


def _in(folder: str, out: str, err: str, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    os.chdir(folder)
    _print_to(out, err)
    target(*arguments)


def _print_to(out: str, err: str) -> None:
    """Add what this process prints from now on, and what it begins, to files."""
    global _output  # noqa: PLW0603  # a process has one output
    _output = out, err
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
