from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # as a run trains; two test processes would fight for two cores

import pytest  # noqa: E402
import yaml  # noqa: E402

pytest_plugins = ["normlaw_registry.testing.fixtures"]

START_SECONDS = 120
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """Start a server with an SQLite store and served artifacts; it ends with the test session."""
    folder = tmp_path_factory.mktemp("mlflow-server")
    with start_mlflow(folder, free_port()) as server:
        yield server


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start_mlflow(folder: Path, port: int) -> Iterator[MlflowServer]:
    """Run a server, with its database and artifacts in a folder, while the block lasts."""
    log = folder / "access.log"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--uvicorn-opts", "--access-log"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with log.open("a") as out:
        server = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | quiet,
            cwd=folder,
            start_new_session=True,  # the server proper is a process below this one
        )
        try:
            uri = f"http://127.0.0.1:{port}"
            _wait_for(f"{uri}/api/2.0/mlflow/experiments/get?experiment_id=0", server, log)
            yield MlflowServer(uri, log, server.pid)
        finally:
            if server.poll() is None:
                server.terminate()
            server.wait(timeout=30)


@pytest.fixture(scope="session")
def mlflow_process() -> Callable[[Path, int], AbstractContextManager[MlflowServer]]:
    """Return a function that runs a server of the test's own in a folder, at a port; see `start_mlflow`."""
    return start_mlflow


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
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def runs(self, password: str | None = None) -> dict[str, dict[str, float]]:
        """Return the metrics of every run at the server, by run id."""
        found = self.ask("experiments/search", password, max_results=10)["experiments"]
        experiments = [experiment["experiment_id"] for experiment in found]
        runs = self.ask("runs/search", password, experiment_ids=experiments, max_results=100).get("runs", [])
        return {
            run["info"]["run_id"]: {m["key"]: m["value"] for m in run["data"].get("metrics", [])}
            for run in runs
        }


@pytest.fixture(scope="session")
def mlflow_api() -> type[MlflowApi]:
    """Return what asks a server, at an address, without MLflow's client."""
    return MlflowApi


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Return a function that writes a study to a file."""

    def write(study: dict[str, Any]) -> Path:
        path = tmp_path / f"{study['name']}.yaml"
        path.write_text(yaml.safe_dump(study, sort_keys=False))
        return path

    return write


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, f"the MLflow server ended: {log.read_text()[-2000:]}"
            time.sleep(0.3)
    pytest.fail(f"no MLflow server after {START_SECONDS} s: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium, headless; tests that need it are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra `test` brings playwright")
    with playwright.sync_playwright() as driver:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has none
        started = driver.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield started
        started.close()
