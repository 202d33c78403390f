"""Where results go, and what answers there."""

from __future__ import annotations

from pathlib import Path

import mlflow
import requests
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from normlaw.base.redaction import redacted
from normlaw.tracking.client import connect


def reach(tracking_uri: str | None) -> tuple[str, str | None, str]:
    """Return the store's name without secrets, its server's version (None: no server), and the version here.

    A file that is not there yet is not made.

    Raises:
        InputError: nothing answers, or what answers refuses.

    """
    uri = tracking_uri or mlflow.get_tracking_uri()
    shown = redacted(uri)
    file = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and not file.exists():
        return f"{shown} (made by the first run)", None, mlflow.__version__
    client = connect(tracking_uri)
    return shown, _version_of(client.tracking_uri), mlflow.__version__


def _version_of(uri: str) -> str | None:
    if not uri.startswith("http"):
        return None
    try:
        credentials = get_default_host_creds(uri)  # type: ignore[no-untyped-call]
        answer = http_request(credentials, "/version", "GET", timeout=10, max_retries=0)  # type: ignore[no-untyped-call]
    except (requests.RequestException, mlflow.exceptions.MlflowException):
        return None
    return str(answer.text).strip() if answer.status_code == 200 else None
