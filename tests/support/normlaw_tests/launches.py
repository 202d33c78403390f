"""The command line as processes of their own, with real signals and workers, that begin in no time."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from normlaw_tests import denied, figure_files, forked, processes

OUTPUT = "out.txt"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true"}
NOT_FOR_LAUNCHES = ("MLFLOW_TRACKING_URI", "PYTEST_CURRENT_TEST")
"""Variables of a test process."""


class FromNursery:
    """A launch from a nursery, asked as Popen is."""

    returncode: int | None = None

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery, self.pid = nursery, pid

    def poll(self) -> int | None:
        """Return the exit status, None while it runs."""
        if self.returncode is None and processes.has_ended(self.pid):
            self.wait()
        return self.returncode

    def wait(self) -> int:
        """Return the exit status once it has ended."""
        if self.returncode is None:
            self.returncode = self._nursery.wait(self.pid)
        return self.returncode


Process = FromNursery | subprocess.Popen[Any]


class Nursery:
    """Launches of normlaw from a process that has imported everything; see nursery.py.

    A read-only folder is read-only to them even where root runs the tests, if setpriv is there. A new SQLite
    store begins as a copy of `empty_database`.
    """

    def __init__(self, empty_database: Path) -> None:
        begin = _Forked if forked.everything and "NORMLAW_HOME" not in os.environ else _Begun
        self._process = begin(empty_database)
        self.keeps_out = self._process.keeps_out
        """Whether permissions of folders hold for launches."""
        self._running: set[int] = set()
        self.interrupted = False
        """Whether an answer was not waited for, so that the next one would be taken for another's."""
        assert self._answer() == "ready"

    def launch(
        self,
        folder: Path,
        *arguments: str | Path,
        out: Path | None = None,
        err: Path | None = None,
        env: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        terminal: str = "",
        spawn: bool = False,
    ) -> int:
        """Begin a launch in a folder, with more environment variables; return its process id.

        What it prints is added to `out`, by default the folder's out.txt, and errors to `err`, by default
        `out`. Figures are drawn as SVG alone. Settings, terminal and spawn: see nursery.py.
        """
        order = {
            "arguments": [*map(str, arguments)],
            "cwd": str(folder),
            "out": str(out or folder / OUTPUT),
            "err": str(err) if err else "",
            "terminal": terminal,
            "spawn": spawn,
            "env": dict(env or {}),
            "settings": figure_files.IN_LAUNCHES | dict(settings or {}),
        }
        pid = int(self._ask(order))
        self._running.add(pid)
        return pid

    def wait(self, pid: int) -> int:
        """Return a launch's exit status once it has ended; minus the signal's number if one killed it."""
        status = int(self._ask({"wait": pid}))
        self._running.discard(pid)
        return status

    def run(self, folder: Path, *arguments: str | Path, **options: Any) -> int:
        """Launch, and return the exit status."""
        return self.wait(self.launch(folder, *arguments, **options))

    def done(self, folder: Path, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Launch, and return the exit status and what was printed, as `processes.run` does."""
        with tempfile.TemporaryDirectory() as kept:
            out, err = Path(kept, "out"), Path(kept, "err")
            status = self.run(folder, *arguments, out=out, err=err, **options)
            return subprocess.CompletedProcess([*map(str, arguments)], status, out.read_text(), err.read_text())

    def kill_all(self) -> None:
        """Kill the launches that nobody has waited for, with their workers."""
        for pid in sorted(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # each leads a group
            if not self.interrupted:
                self.wait(pid)

    def close(self) -> None:
        """End the nursery and all launches."""
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self._process.close()

    def _ask(self, order: dict[str, Any]) -> str:
        self._process.orders.write(json.dumps(order) + "\n")
        self._process.orders.flush()
        before, self.interrupted = self.interrupted, True
        answer = self._answer()
        self.interrupted = before
        return answer

    def _answer(self) -> str:
        return self._process.answers.readline().strip()


class _Begun:
    """A nursery in a Python of its own.

    Attributes:
        orders: what it reads.
        answers: what it writes.
        keeps_out: whether permissions of folders hold for its launches.

    """

    orders: IO[str]
    answers: IO[str]

    def __init__(self, empty_database: Path) -> None:
        everywhere = os.geteuid() == 0 and shutil.which("setpriv")
        denied = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if everywhere else []
        self.keeps_out = bool(denied) or os.geteuid() != 0
        self._process = processes.start(
            [*denied, sys.executable, str(Path(__file__).with_name("nursery.py")), str(empty_database)],
            lasting=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=processes.without(*NOT_FOR_LAUNCHES, "NORMLAW_HOME") | QUIET,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.orders, self.answers = self._process.stdin, self._process.stdout

    def close(self) -> None:
        processes.stop(self._process)


class _Forked:
    """The same, forked from what has imported everything; see testers.py."""

    keeps_out = True

    def __init__(self, empty_database: Path) -> None:
        there_in, orders = forked.pipe()
        answers, there_out = forked.pipe()
        self._process = forked.of_this(_nurse, there_in, there_out, empty_database)
        for end in (there_in, there_out):
            end.close()
        self.orders, self.answers = forked.file(orders, "w"), forked.file(answers, "r")

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        for file in (self.orders, self.answers):
            with contextlib.suppress(OSError):  # what was written to it is not read any more
                file.close()


def _nurse(standard_in: Connection, standard_out: Connection, empty_database: Path) -> None:
    """Do what nursery.py does as a program."""
    for name in NOT_FOR_LAUNCHES:
        os.environ.pop(name, None)
    os.environ.update(QUIET)
    if os.geteuid() == 0:
        denied.dac_override()
    forked.speak(standard_in, standard_out)
    from normlaw_tests import nursery

    nursery.serve(empty_database)
