"""Reaching MLflow: which server, whether it answers, and what its name may show."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from requests import RequestException

from normlaw.redaction import first_line, redacted
from normlaw_registry import InputError

_HAPPENED = re.compile(
    "Connection (refused|reset by peer|aborted)|Remote end closed connection without response|[Tt]imed out"
    "|Name or service not known|Temporary failure in name resolution|No route to host|Network is unreachable"
)
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


def said(error: Exception) -> str:
    """Return what to tell of an error of the client: what happened, without the layers it went through."""
    found = _HAPPENED.search(str(error))
    return found[0].lower() if found else first_line(error)


def connect(tracking_uri: str | None = None) -> MlflowClient:
    """Return a client whose server has answered an API request.

    Without a URI, MLFLOW_TRACKING_URI is used, and without that an SQLite file in the working folder.

    Raises:
        InputError: the server does not answer, or refuses; says which one and what to check.

    """
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # also saves a request a run
    logging.getLogger("alembic").setLevel(
        logging.WARNING
    )  # a table-by-table account of creating the SQLite file
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # the same, and tracebacks
    uri = tracking_uri or mlflow.get_tracking_uri()
    try:
        with impatient():
            client = MlflowClient(tracking_uri=uri)
            client.search_experiments(max_results=1)
    except (MlflowException, OSError, ValueError, ImportError) as error:
        raise InputError(
            f"no MLflow server answers at {redacted(uri)}: {said(error)}\n"
            "Check MLFLOW_TRACKING_URI, and that the server runs and admits this host; without the variable, "
            "normlaw uses mlflow.db in the working folder."
        ) from None
    return client


def artifacts_of(client: MlflowClient, run: Run) -> ArtifactRepository:
    """Return where a run's artifacts lie, reached through this client's own server."""
    return get_artifact_repository(run.info.artifact_uri, tracking_uri=client.tracking_uri)
