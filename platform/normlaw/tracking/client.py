"""Reaching MLflow: which server, whether it answers, and what its name may show."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from requests import RequestException

from normlaw.base.redaction import first_line, redacted
from normlaw.tracking import sqlite_file
from normlaw_registry import InputError

_HAPPENED = re.compile(
    "Connection (refused|reset by peer|aborted)|Remote end closed connection without response|[Tt]imed out"
    "|Name or service not known|Temporary failure in name resolution|No route to host|Network is unreachable"
)
DATABASES = ("postgresql", "mysql", "mssql")
"""How the URI of a store begins that is a database at a server."""
Purpose = Literal["read", "add", "make"]
"""What a store is wanted for: to read it, to log to a study that is there, to log one that may be new."""
PERMANENT = frozenset({400, 401, 403, 404, 409, 413})
"""Statuses of answers that stay the same however often one asks."""


@contextmanager
def impatient(seconds: int = 10) -> Iterator[None]:
    """Let MLflow's client give up after one try of so many seconds, instead of retrying for minutes.

    The client reads this from the environment at each request, so it holds for all threads.
    """
    short = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(seconds)}
    before = {key: os.environ.get(key) for key in short}
    os.environ.update(short)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def is_temporary(error: Exception) -> bool:
    """Return whether what failed may succeed when it is tried again: the server is away, busy or broken."""
    if isinstance(error, MlflowException):
        if "sqlalche.me" in str(error):  # 400 for some lost databases
            return True
        return error.get_http_status_code() not in PERMANENT  # type: ignore[no-untyped-call]
    if isinstance(error, RequestException):  # from a store of artifacts
        return error.response is None or error.response.status_code not in PERMANENT
    from sqlalchemy.exc import InterfaceError, OperationalError  # only after an error: it takes a while

    # A store that is a database may lose it while it takes back what it had begun, and then says so itself.
    return isinstance(error, OSError | InterfaceError | OperationalError)


def what_happened(error: Exception) -> str:
    """Return what to tell of an error of the client: what happened, without the layers it went through."""
    found = _HAPPENED.search(str(error))
    return found[0].lower() if found else first_line(error)


def connect(tracking_uri: str | None = None, purpose: Purpose = "make") -> MlflowClient:
    """Return a client whose server has answered an API request.

    Without a URI, MLFLOW_TRACKING_URI is used, and without that an SQLite file in the working folder.

    Args:
        tracking_uri: MLflow server, or store that is reached directly.
        purpose: what it is wanted for. Only `make` makes the file of an SQLite store that is not there.

    Raises:
        InputError: the server does not answer, or refuses; the store is not there, is none, or cannot be
            written to. Says which one and what to do.

    """
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # also saves a request a run
    os.environ.setdefault(
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false"
    )  # else a bar a file where tqdm is there
    logging.getLogger("alembic").setLevel(
        logging.WARNING
    )  # a table-by-table account of creating the SQLite file
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # the same, and tracebacks
    uri = tracking_uri or mlflow.get_tracking_uri()
    try:
        with impatient():
            _prepare(uri, purpose)
            client = MlflowClient(tracking_uri=uri)
            client.search_experiments(max_results=1)
    except Exception as error:
        if not isinstance(error, MlflowException | OSError | ValueError | ImportError) and not _is_sqls(error):
            raise
        raise InputError(
            f"no MLflow server answers at {redacted(uri)}: {what_happened(error)}\n"
            "Check MLFLOW_TRACKING_URI, and that the server runs and admits this host; without the variable, "
            "normlaw uses mlflow.db in the working folder."
        ) from None
    return client


def stamp(tracking_uri: str | None = None) -> object | None:
    """Return what is another after any change of a store; None: that is not known, and it must be asked."""
    path = sqlite_file.sqlite_path(tracking_uri or mlflow.get_tracking_uri())
    return None if path is None else sqlite_file.stamp(path)


def check(tracking_uri: str | None = None) -> None:
    """Refuse now what `connect` would refuse after the work that is to be logged; makes nothing.

    Raises:
        InputError: as `connect` does.

    """
    path = sqlite_file.sqlite_path(tracking_uri or mlflow.get_tracking_uri())
    if path is not None and not sqlite_file.is_there(path):
        sqlite_file.require_writable(path)
    else:
        connect(tracking_uri)


def _prepare(uri: str, purpose: Purpose) -> None:
    """Find out at once what MLflow would find out after minutes of trying, and make a missing SQLite file."""
    path = sqlite_file.sqlite_path(uri)
    if path is not None:
        there = sqlite_file.is_there(path)
        if not there and purpose != "make":
            raise InputError(
                f"there is no MLflow store {path}: `normlaw run STUDY` makes it, or {sqlite_file.ELSEWHERE}"
            )
        if purpose != "read":
            sqlite_file.require_writable(path)
        if not there:
            sqlite_file.make(path)
    elif uri.startswith(DATABASES):
        from mlflow.store.db.utils import create_sqlalchemy_engine

        os.environ.setdefault("PGCONNECT_TIMEOUT", "10")  # seconds; else minutes where packets are dropped
        engine = create_sqlalchemy_engine(uri)  # type: ignore[no-untyped-call]
        try:
            engine.connect().close()
        finally:
            engine.dispose()


def _is_sqls(error: Exception) -> bool:
    """Return whether SQLAlchemy raised it; imports nothing, as that takes a while."""
    return type(error).__module__.startswith("sqlalchemy.")


def artifacts_at(client: MlflowClient, uri: str) -> ArtifactRepository:
    """Return where a run's artifacts lie, given their URI, reached through this client's own server."""
    return get_artifact_repository(uri, tracking_uri=client.tracking_uri)
