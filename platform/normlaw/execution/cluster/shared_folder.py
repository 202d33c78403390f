"""Whether launcher and workers see one folder: journals and checkpoints are written by workers."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Literal, Self

from normlaw.base.files import try_lock
from normlaw_registry import InputError

SECONDS_UNTIL_SEEN = 10.0
"""What a network file system may take to show a new file to another machine."""

Sight = Literal["locked", "not locked", "no locks", "not there"]


class Token:
    """A file with a random text in the folder of the runs, locked by the launcher while it works.

    Raises:
        InputError: the folder cannot be written to.

    """

    def __init__(self, home: Path) -> None:
        self.text = uuid.uuid4().hex
        self.path = home.resolve() / "cluster" / f"{self.text[:8]}.token"
        self._made = [folder for folder in self.path.parents[:2] if not folder.exists()]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.text)
            self._file = self.path.open("r+b")
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written: {error.strerror}; set NORMLAW_HOME") from None
        try:
            try_lock(self._file)
        except OSError as error:
            self.remove()
            raise InputError(
                f"{home}: this file system has no file locks ({error.strerror}), which keep two processes from "
                "training one run; set NORMLAW_HOME to a folder on one that has (Lustre: mount option flock)"
            ) from None

    def remove(self) -> None:
        """Remove the file and with it the lock."""
        self._file.close()
        self.path.unlink(missing_ok=True)
        with suppress(OSError):  # journals or logs of jobs lie there now
            for folder in self._made:
                folder.rmdir()

    def __enter__(self) -> Self:
        """Return the token itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self.remove()


def sight_of(path: Path, text: str, seconds: float = SECONDS_UNTIL_SEEN) -> Sight:
    """Return how a worker sees the launcher's token: at best there and locked."""
    deadline = monotonic() + seconds
    while True:
        try:
            with path.open("r+b") as file:
                if file.read().decode() == text:
                    return _lock(file.fileno())
        except (OSError, UnicodeDecodeError):
            pass
        if monotonic() >= deadline:
            return "not there"
        sleep(0.5)


def _lock(handle: int) -> Sight:
    try:
        return "not locked" if try_lock(handle) else "locked"
    except OSError:
        return "no locks"
