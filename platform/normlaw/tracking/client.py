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

from normlaw_registry import InputError


def redacted(uri: str) -> str:
    """Return a URI without its password.

    >>> redacted("postgresql+psycopg://ada:secret@host/db")
    'postgresql+psycopg://ada:***@host/db'
    """
    return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1:***@", uri)


@contextmanager
def _impatient() -> Iterator[None]:
    """Let MLflow's client give up after one short try instead of minutes."""
    short = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
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


def connect(tracking_uri: str | None = None) -> MlflowClient:
    """Return a client whose server has answered an API request.

    Without a URI, MLFLOW_TRACKING_URI is used, and without that an SQLite file in the working folder.

    Raises:
        InputError: the server does not answer, or refuses; says which one and what to check.

    """
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # also saves a request a run
    for noisy in ("alembic", "mlflow.store.db.utils"):  # a table-by-table account of creating the SQLite file
        logging.getLogger(noisy).setLevel(logging.WARNING)
    uri = tracking_uri or mlflow.get_tracking_uri()
    try:
        with _impatient():
            client = MlflowClient(tracking_uri=uri)
            client.search_experiments(max_results=1)
    except (MlflowException, OSError, ValueError, ImportError) as error:
        raise InputError(
            f"no MLflow server answers at {redacted(uri)}: {_first_line(error)}\n"
            "Check MLFLOW_TRACKING_URI, and that the server runs and admits this host; without the variable, "
            "normlaw uses mlflow.db in the working folder."
        ) from None
    return client


def artifacts_of(client: MlflowClient, run: Run) -> ArtifactRepository:
    """Return where a run's artifacts lie, reached through this client's own server."""
    return get_artifact_repository(run.info.artifact_uri, tracking_uri=client.tracking_uri)


def _first_line(error: Exception) -> str:
    text = redacted(str(error)).splitlines()
    return text[0][:300] if text else type(error).__name__
