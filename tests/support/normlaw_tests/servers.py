"""Real MLflow servers on loopback, and plain requests to them."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normlaw_tests import forked, processes, stores
from normlaw_tests.waiting import wait_until

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


DATABASE = "mlflow.db"
"""The file of a server's database in the server's folder."""


def make_empty_database(path: Path) -> None:
    """Make an SQLite file with MLflow's tables and nothing in them, whole or not at all."""
    from mlflow import MlflowClient

    begun = path.with_suffix(".begun")
    with stores.by_mlflow():
        MlflowClient(f"sqlite:///{begun}").search_experiments()
    with closing(sqlite3.connect(begun)) as database:
        database.execute("DELETE FROM experiments")
        database.commit()
        database.execute("VACUUM")
    begun.rename(path)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class MlflowServer:
    """A real MLflow server on loopback."""

    uri: str
    log: Path
    """Its access log: one line a request."""
    pid: int
    """Of the process group of the server."""

    def requests(self) -> list[str]:
        """Return the API and artifact requests so far, as 'METHOD path'."""
        lines = self.log.read_text().splitlines()
        found = [line.split('"')[1].rsplit(" ", 1)[0] for line in lines if '"' in line and "HTTP/1" in line]
        return [request.partition("?")[0] for request in found]


@contextmanager
def mlflow_server(folder: Path, port: int, *, lasting: bool = False) -> Iterator[MlflowServer]:
    """Run `mlflow server`, in one process (lone_server.py), while the block lasts; its data are in a folder.

    A database that is in the folder already is used, which spares the server the seconds of making its tables.
    It is forked where what forks this process's others has imported MLflow's server, which takes seconds, too.
    `lasting`: as for `processes.start`.
    """
    log = folder / "access.log"
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    arguments += ["--backend-store-uri", f"sqlite:///{folder / DATABASE}"]
    arguments += ["--artifacts-destination", str(folder / "artifacts"), "--uvicorn-opts", "--access-log"]
    with (
        _forked(arguments, folder, log) if forked.everything else _begun(arguments, folder, log, lasting) as pid
    ):
        uri = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(f"{uri}/api/2.0/mlflow/experiments/get?experiment_id=0"), while_running=pid)
        yield MlflowServer(uri, log, pid)


@contextmanager
def _begun(arguments: list[str], folder: Path, log: Path, lasting: bool) -> Iterator[int]:
    """Run a server in a Python of its own, which leads a group, while the block lasts."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("lone_server.py")), *arguments]
    with log.open("a") as out:
        options: dict[str, Any] = {"stdout": out, "stderr": subprocess.STDOUT, "cwd": folder}
        options["start_new_session"] = True  # what it begins is of its group
        with processes.running(command, env=os.environ | QUIET, lasting=lasting, **options) as server:
            yield server.pid
            server.send_signal(signal.SIGTERM)
            server.wait()


@contextmanager
def _forked(arguments: list[str], folder: Path, log: Path) -> Iterator[int]:
    """Run a server in a process that is forked, and leads a group, while the block lasts."""
    server = forked.begin(_serve, arguments, out=log, folder=folder)
    assert server.pid is not None
    try:
        yield server.pid
        server.terminate()
        server.join()
    finally:
        server.kill()
        server.join()


def _serve(arguments: list[str]) -> None:
    os.setsid()
    os.environ.update(QUIET)
    from normlaw_tests import lone_server

    lone_server.serve(arguments)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url):
            return True
    except (urllib.error.URLError, OSError):
        return False


class MlflowApi:
    """Plain requests to an MLflow server, in the name of the compose file's account if a password is given."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def ask(self, route: str, password: str | None = None, **body: object) -> dict[str, Any]:
        """Return the answer to a POST request below /api/2.0/mlflow."""
        request = urllib.request.Request(f"{self._uri}/api/2.0/mlflow/{route}", data=json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if password is not None:
            account = base64.b64encode(f"normlaw:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {account}")
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def runs(self, password: str | None = None) -> dict[str, dict[str, float]]:
        """Return the metrics of every run at the server, by run id."""
        found = self.ask("experiments/search", password, max_results=10)["experiments"]
        experiments = [experiment["experiment_id"] for experiment in found]
        runs = self.ask("runs/search", password, experiment_ids=experiments, max_results=100).get("runs", [])
        return {
            run["info"]["run_id"]: {m["key"]: m["value"] for m in run["data"].get("metrics", [])}
            for run in runs
        }
