"""An MLflow store that is an SQLite file: whether it can be used, and how it is made whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from normlaw.base.files import lock
from normlaw_registry import InputError

SETTLED = 2.0
ELSEWHERE = "name another store with --tracking-uri or MLFLOW_TRACKING_URI"


def sqlite_path(uri: str) -> Path | None:
    """Return the file of an SQLite store; None for any other store, or one in memory.

    >>> sqlite_path("sqlite:////tmp/mlflow.db"), sqlite_path("http://localhost:5000")
    (PosixPath('/tmp/mlflow.db'), None)
    """
    if not uri.startswith("sqlite"):
        return None
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        name = make_url(uri).database
    except ArgumentError:
        return None  # MLflow says what is wrong with it
    return Path(name).absolute() if name and name != ":memory:" and not name.startswith("file:") else None


def stamp(path: Path) -> tuple[tuple[int, int, int] | None, ...] | None:
    """Return what is another after any change of a store; None where that cannot be told.

    Number, length and time of the last change of the file, and of that in which SQLite may write ahead. A
    time has steps of some milliseconds, within which there may be two changes: of what changed in the last
    SETTLED seconds nothing is said. Nothing is opened: closing it would take SQLite's locks away.
    """
    found: list[tuple[int, int, int] | None] = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            known = file.stat()
        except FileNotFoundError:
            found.append(None)
            continue
        except OSError:
            return None
        if known.st_mtime > time.time() - SETTLED:
            return None
        found.append((known.st_ino, known.st_size, known.st_mtime_ns))
    return tuple(found) if found[0] is not None else None


def is_there(path: Path) -> bool:
    """Return whether there is a store: an empty file, which opening a missing one leaves, is none.

    Raises:
        InputError: there is something else, or what is there cannot be read.

    """
    try:
        if not path.exists() or (path.is_file() and path.stat().st_size == 0):
            return False
        if not path.is_file():
            raise InputError(f"{path} is no MLflow store: it is no file; move it away, or {ELSEWHERE}")
        path.open("rb").close()
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except OSError as error:
        raise InputError(
            f"cannot read the MLflow store {path}: {error.strerror}; change its permissions, or {ELSEWHERE}"
        ) from None
    except sqlite3.OperationalError:
        pass  # it is busy, or holds a transaction that a killed process left: MLflow's own connection waits
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"{path} is no MLflow store: {error}; restore it from a copy, move it away, or {ELSEWHERE}"
        ) from None
    return True


def require_writable(path: Path) -> None:
    """Refuse a store that cannot be written to. SQLite writes a file beside it too, so the folder counts.

    Raises:
        InputError: the file, or the folder that it lies or would lie in, may not be written.

    """
    folder = path.parent
    while not folder.exists():  # MLflow makes the missing ones
        folder = folder.parent
    if not folder.is_dir():
        raise InputError(f"cannot write the MLflow store {path}: {folder} is no folder; {ELSEWHERE}")
    if path.exists() and not os.access(path, os.W_OK):
        reason = "the file is read-only"
    elif not os.access(folder, os.W_OK):
        reason = f"the folder {folder} is read-only"
    else:
        return
    raise InputError(
        f"cannot write the MLflow store {path}: {reason}; work in a folder of your own, or {ELSEWHERE}"
    )


def make(path: Path) -> None:
    """Make an empty store where there is none, whole or not at all.

    MLflow makes its tables one by one, and can do nothing with a file that a kill left in between. So they are
    made in a file beside it, which takes the store's name when all are there.
    """
    from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.utils.file_utils import path_to_local_sqlite_uri

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    with _alone_in(path.parent):
        if is_there(path):
            return  # another process has made it meanwhile
        for left in (draft, draft.with_name(f"{draft.name}-journal")):  # of one that was killed
            left.unlink(missing_ok=True)
        uri = path_to_local_sqlite_uri(str(draft))  # type: ignore[no-untyped-call]
        try:
            store = SqlAlchemyStore(uri, DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)  # type: ignore[no-untyped-call]
            store._dispose_engine()  # type: ignore[no-untyped-call]
            os.replace(draft, path)
        finally:
            SqlAlchemyStore._engine_map.pop(uri, None)
            draft.unlink(missing_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from making a store in a folder meanwhile; freed however the process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network file system may lock no folders
            lock(descriptor)
        yield
    finally:
        os.close(descriptor)
