"""Files that are there whole or not at all, and locks that end with the process that holds them.

The filelock package locks a file of its own beside what is meant. Here the journal itself is locked, so that
whoever can read it can also see whether somebody is at it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from normlaw_registry import InputError

Content = str | bytes | memoryview


class HasDescriptor(Protocol):
    """An open file, or anything else that the system can lock."""

    def fileno(self) -> int:
        """Return the number that the system knows it by."""


def write_whole(path: Path, *content: Content, lasting: bool = False) -> None:
    """Write a file and its folder: whoever reads it finds what was there before, or all of the new.

    A pipe or a device is written to, not replaced.

    Args:
        path: the file.
        content: its parts, one after the other; texts are written as UTF-8.
        lasting: wait until it would survive a power cut.

    Raises:
        OSError: it cannot be written; what was there before still is.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [part.encode() if isinstance(part, str) else part for part in content]
    if path.exists() and not path.is_file():
        with path.open("wb", buffering=0) as stream:
            for part in parts:
                stream.write(part)
        return
    draft = beside(path)
    try:
        with draft.open("xb") as file:
            for part in parts:
                file.write(part)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if lasting:
        _sync_folder(path.parent)


def write_wanted(path: Path, content: str | bytes) -> None:
    """Write a file that the user has asked for, all of it or nothing.

    Raises:
        InputError: it cannot be written; what was there before still is.

    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to fill, which takes the place of `folder` at the end of a block that succeeds.

    Raises:
        OSError: it cannot be made; what was there before still is.

    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = beside(folder)
    draft.mkdir()
    try:
        yield draft
        if folder.exists():
            former = beside(folder)
            folder.rename(former)
            draft.rename(folder)
            shutil.rmtree(former, ignore_errors=True)
        else:
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def replace_folder(folder: Path, fill: Callable[[Path], None], mark: str, what: str) -> None:
    """Fill a folder beside this one and put it in its place.

    Args:
        folder: where; made where it is not there.
        fill: writes the files into an empty folder.
        mark: the file by which a folder that was written before is known.
        what: what such a folder is, for the message.

    Raises:
        InputError: the folder exists and holds something else, or cannot be written.

    """
    require_replaceable(folder, mark, what)
    try:
        with whole_folder(folder) as draft:
            fill(draft)
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error.strerror or error}") from error


def require_replaceable(folder: Path, mark: str, what: str) -> None:
    """Refuse a folder that holds something else than what is to be replaced; see `replace_folder`.

    Raises:
        InputError: it does.

    """
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or (folder / mark).exists())):
        raise InputError(f"{folder} exists and is not {what}: choose another folder")


def lock(file: HasDescriptor | int) -> None:
    """Wait until this process alone holds an open file.

    Raises:
        OSError: the file system has no locks.

    """
    fcntl.flock(file, fcntl.LOCK_EX)


def try_lock(file: HasDescriptor | int) -> bool:
    """Take an open file for this process alone, and say whether that could be done at once.

    Raises:
        OSError: the file system has no locks.

    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool | None:
    """Return whether a process has a file locked; None where it cannot be read or tried."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def beside(path: Path) -> Path:
    """Return a name for a draft that no other process gives its own."""
    return path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")


def _sync_folder(folder: Path) -> None:
    """Make a renaming last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
