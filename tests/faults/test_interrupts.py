"""Ctrl-C at a terminal: acknowledged at once, the first stops cleanly, the second at once, at any moment."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from normlaw_tests import processes
from normlaw_tests.launches import FromNursery, Nursery, Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes in /proc"),
]
CTRL_C = b"\x03"
LAST = b"\x1b[0m\x1b[0m"
"""What is written to a terminal behind all that a command has."""


class Terminal:
    """A command at a terminal of its own, whose keys reach all processes that the command begins.

    `begin` is given the terminal, its file and its name, and begins the command.
    """

    def __init__(self, begin: Callable[[int, str], Process]) -> None:
        self._keys, there = os.openpty()
        settings = termios.tcgetattr(there)
        settings[3] |= termios.NOFLSH  # else a key throws away what is shown while the command ends
        termios.tcsetattr(there, termios.TCSANOW, settings)
        self._before = termios.tcgetattr(there)
        self._there = there
        self.shown = ""
        self.process = begin(there, os.ttyname(there))

    def press(self, keys: bytes) -> None:
        os.write(self._keys, keys)

    def read(self) -> None:
        """Take in what is shown, for a moment."""
        if select.select([self._keys], [], [], 0.02)[0]:
            self.shown += os.read(self._keys, 1 << 16).decode(errors="replace")

    def wait_until(self, holds: Callable[[], bool], *, ended: bool = False) -> None:
        """Read until something holds; unless it may have ended, the command must be there until then."""
        while not holds():
            gone = not ended and self.process.poll() is not None
            self.read()
            assert not gone or holds(), f"ended with {self.process.returncode}: {self.shown}"

    def wait_for_end(self) -> int:
        self.wait_until(lambda: self.process.poll() is not None, ended=True)
        os.write(self._there, LAST)  # a terminal hands on what is written in its own time, but in order
        self.wait_until(lambda: LAST.decode() in self.shown, ended=True)
        self.shown = self.shown.replace(LAST.decode(), "")
        assert self.process.returncode is not None
        return self.process.returncode

    @property
    def usable(self) -> bool:
        """Whether the terminal echoes as before, and shows its cursor."""
        cursor = self.shown.rfind("\x1b[?25h") >= self.shown.rfind("\x1b[?25l")
        return termios.tcgetattr(self._there) == self._before and cursor

    def processes(self) -> list[int]:
        """Return the processes of the session that live."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(session) == self.process.pid and state != "Z":
                found.append(int(stat.parent.name))
        return found

    def close(self) -> None:
        if isinstance(self.process, subprocess.Popen):
            processes.stop(self.process)  # the nursery's fixture ends others
        os.close(self._keys)
        os.close(self._there)


@contextmanager
def at_a_terminal(
    study: Path, folder: Path, *arguments: str, nursery: Nursery | None = None, **options: Any
) -> Iterator[Terminal]:
    """Launch a study at a terminal, from a nursery, which takes the options, or as users do."""

    def begin(there: int, name: str) -> Process:
        if nursery is not None:
            shown = {"TERM": "xterm"}
            launched = nursery.launch(folder, "run", study, *arguments, env=shown, terminal=name, **options)
            return FromNursery(nursery, launched)
        return processes.start(
            [sys.executable, "-m", "normlaw", "run", study, *arguments],
            cwd=folder,
            env=processes.without() | {"TERM": "xterm", "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    terminal = Terminal(begin)
    try:
        yield terminal
    finally:
        terminal.close()


def importing(terminal: Terminal, folder: Path) -> bool:
    """Whether torch is being loaded, by what workers are forked from, and MLflow by the launcher."""
    try:
        return any("libtorch" in Path(f"/proc/{pid}/maps").read_text() for pid in terminal.processes())
    except OSError:
        return False


def starting(terminal: Terminal, folder: Path) -> bool:
    """Whether processes that train have been started (the first child is Python's resource tracker)."""
    return len(terminal.processes()) > 2


def training(terminal: Terminal, folder: Path) -> bool:
    return any(b'"point"' in path.read_bytes() for path in folder.glob(".normlaw/journal/*/*.jsonl"))


def trained(terminal: Terminal, folder: Path) -> bool:
    return any(b'"finished"' in path.read_bytes() for path in folder.glob(".normlaw/journal/*/*.jsonl"))


@pytest.mark.parametrize("moment", [importing, starting, training])
@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c(
    moment: Callable[[Terminal, Path], bool],
    presses: int,
    nursery: Nursery,
    small: dict[str, Any],
    write_study: Callable[[dict[str, Any]], Path],
    tmp_path: Path,
) -> None:
    # a run that is asked twice has no measuring point where it could stop for hours
    small["fixed"].update(steps=10**8, measuring_points=1 if presses == 2 else 2000)
    options: dict[str, Any] = {} if moment is importing else {"nursery": nursery, "spawn": moment is starting}
    with at_a_terminal(write_study(small), tmp_path, **options) as terminal:
        terminal.wait_until(lambda: moment(terminal, tmp_path))
        terminal.press(CTRL_C)
        terminal.wait_until(lambda: "Stopping: " in terminal.shown)
        if presses == 2:
            terminal.press(CTRL_C)
        assert terminal.wait_for_end() == 130, terminal.shown
        assert terminal.shown.count("Stopped") == 1
        assert "Traceback" not in terminal.shown
        assert terminal.usable
        terminal.wait_until(lambda: terminal.processes() == [], ended=True)


def test_ctrl_c_pressed_until_the_command_is_gone(
    small: dict[str, Any], write_study: Callable[[dict[str, Any]], Path], tmp_path: Path
) -> None:
    """Python, too, takes a while to end."""
    small["fixed"].update(steps=10**8, measuring_points=2000)
    with at_a_terminal(write_study(small), tmp_path) as terminal:
        terminal.wait_until(lambda: importing(terminal, tmp_path))
        terminal.press(CTRL_C)
        terminal.wait_until(lambda: "Stopped" in terminal.shown)
        while terminal.process.poll() is None:
            terminal.press(CTRL_C)
            terminal.read()
        assert terminal.process.returncode == 130
        assert "Traceback" not in terminal.shown


def test_ctrl_c_at_the_first_moment_of_any_command(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"
    )
    environment = processes.without()
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{environment.get('PYTHONPATH', '')}"
    done = processes.python("-m", "normlaw", "studies", env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_while_a_server_keeps_silent(
    presses: int,
    nursery: Nursery,
    small: dict[str, Any],
    write_study: Callable[[dict[str, Any]], Path],
    tmp_path: Path,
    mlflow_server: Any,
) -> None:
    small["name"] = f"silent-{presses}"
    small["vary"] = {"train_size": [32], "seed": [0]}
    at_the_server = ("--tracking-uri", mlflow_server.uri)
    soon = {"normlaw.tracking.sender.STOP_SECONDS": 1.0}
    with at_a_terminal(
        write_study(small), tmp_path, *at_the_server, nursery=nursery, settings=soon
    ) as terminal:
        terminal.wait_until(lambda: training(terminal, tmp_path))
        os.killpg(mlflow_server.pid, signal.SIGSTOP)
        try:
            terminal.wait_until(lambda: trained(terminal, tmp_path))
            terminal.press(CTRL_C)
            terminal.wait_until(lambda: "Stopping: " in terminal.shown)
            if presses == 2:
                terminal.press(CTRL_C)
            assert terminal.wait_for_end() == 130, terminal.shown
        finally:
            os.killpg(mlflow_server.pid, signal.SIGCONT)
        assert "Stopped" in terminal.shown
        assert "Traceback" not in terminal.shown
        assert terminal.usable
        terminal.wait_until(lambda: terminal.processes() == [], ended=True)


LAUNCH = """
import os, signal, sys, threading
import click
from normlaw.cli.debugging import with_debug_option
from normlaw.cli.run import train


def half_loaded(**_):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait()
    except KeyboardInterrupt:
        raise AttributeError("half a module") from None


command = click.Command("run", callback=lambda: train("digits", half_loaded, {}))
with_debug_option(command)
command.main(sys.argv[1:])
"""


@pytest.mark.parametrize("options", [[], ["--debug"]])
def test_whatever_error_ctrl_c_makes_of_the_code_it_meets_is_a_stop(options: list[str], tmp_path: Path) -> None:
    """A library that is met while it is loaded, say, ends in an error of its own."""
    done = processes.python("-c", LAUNCH, *options, cwd=tmp_path)
    assert done.returncode == 130, done.stderr
    assert done.stderr.endswith("Stopped.\n")
    assert ("half a module" in done.stderr) == bool(options)
