"""A launch on disk, beside the journals: when it began and how it ended, for whoever tells MLflow."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from normlaw.base.files import is_held, lock
from normlaw.study.home import journal_folder
from normlaw_registry import NormlawError

LaunchStatus = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class LaunchRecord:
    """What the file of a launch holds."""

    started: int
    """Milliseconds since 1970."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What it was to do, by name."""
    ended: int | None = None
    """None: the process was killed, or is at work."""
    status: LaunchStatus = "KILLED"
    numbers: Mapping[str, float] = field(default_factory=dict)
    """What it did, by name."""
    told: frozenset[str] = frozenset()
    """The servers that know how it ended."""


def launch_path(home: Path, study: str, launch: str) -> Path:
    """Return where the file of a launch lies."""
    return journal_folder(home, study) / f"{launch}.launch"


class Launch:
    """A launch under way. Its file is locked as long as the process lives, and says how it ended.

    The folder of the study's journals must be there.

    Args:
        home: folder of the journals.
        study: the study's name.
        about: what is to be done, by name.

    Raises:
        NormlawError: the folder cannot be written to.

    """

    def __init__(self, home: Path, study: str, about: Mapping[str, str]) -> None:
        self.name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        path = launch_path(home, study, self.name)
        try:
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise NormlawError(f"{path}: cannot be written: {error.strerror}; nothing was trained") from None
        lock(self._file)
        self._write(started=_now(), about=dict(about))
        self._ended = False

    def __enter__(self) -> Self:
        """Return the launch itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write that it was stopped, if it did not come to its end, and free the file."""
        if not self._ended:
            self.end("FAILED" if kind is not None and issubclass(kind, Exception) else "KILLED", {})
        self._file.close()

    def end(self, status: LaunchStatus, numbers: Mapping[str, float]) -> None:
        """Write how it ended."""
        self._write(ended=_now(), status=status, numbers=dict(numbers))
        self._ended = True

    def _write(self, **entry: Any) -> None:
        with suppress(OSError):  # a full disk: the journals say so; a launch without its file is not shown
            self._file.write(json.dumps(entry).encode() + b"\n")


def read_launch(path: Path) -> LaunchRecord | None:
    """Return what the file of a launch holds; None where there is none, or nothing whole in it."""
    entries: dict[str, Any] = {}
    told: set[str] = set()
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            told |= {entry.pop("told")} if "told" in entry else set()
            entries |= entry
        return LaunchRecord(**entries, told=frozenset(told))
    except (OSError, ValueError, TypeError, AttributeError):  # damaged: its runs are shown without it
        return None


def is_over(path: Path) -> bool:
    """Return whether the process of a launch has come to its end, in whatever way."""
    return is_held(path) is False


def note_told(path: Path, server: str) -> None:
    """Write that a server knows how a launch ended."""
    with path.open("ab") as file:
        file.write(json.dumps({"told": server}).encode() + b"\n")


def _now() -> int:
    return int(time.time() * 1000)
