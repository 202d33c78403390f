"""What one run costs a tracking server, measured on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from normlaw.study.spec import RunSpec
from normlaw.study.study import Study
from normlaw.tracking.client import connect
from normlaw.tracking.reader import find_experiment
from normlaw.tracking.record import Record
from normlaw.tracking.store import StudyStore
from normlaw.tracking.writer import RunWriter, metrics_without, open_experiment
from normlaw.training.evaluation import Inexact, Point
from normlaw.training.layer_table import Row
from normlaw.training.loop import train
from normlaw.training.observer import Observer
from normlaw.training.schedule import measuring_steps
from normlaw_registry import load_catalogue

RUNS = 60
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


class Kept(Observer):
    """Keeps what a run measured."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.rows: list[Row] = []

    def point(self, point: Point, inexact: Inexact) -> None:
        self.points.append(point)

    def layers(self, rows: list[Row]) -> None:
        self.rows += rows


def trained() -> tuple[RunSpec, Record]:
    """Return a small run with as many measuring points, norms and layers as a run of cnn_cifar10."""
    tree = {
        "architecture": {"name": "cnn", "params": {"channels": [4, 4, 8], "hidden": [8]}},
        "dataset": "digits",
        "train_size": 500,
        "seed": 0,
        "steps": 2000,
        "measuring_points": 50,
        "measures": ["spectral_complexity_released", "spectral_complexity_kernel", "spectral_complexity"],
    }
    spec, kept = RunSpec.model_validate(tree).resolved(load_catalogue()), Kept()
    train(spec.model_copy(update={"steps": 60}), load_catalogue(), observer=kept)
    data = {"name": "digits", "digest": "0" * 16, "train_size": 500, "test_size": 360}
    now = int(time.time() * 1000)
    record = Record(
        spec=spec.model_dump(mode="json"),
        data=data,
        layers=kept.rows,
        started=now,
        ended=now,
        status="finished",
    )
    while len(record.points) < len(measuring(spec)):  # the real values, at the steps of a long run
        record.points.append({**kept.points[len(record.points) % len(kept.points)]})
    for point, step in zip(record.points, measuring(spec), strict=True):
        point["step"] = float(step)
    record.point_times = [now] * len(record.points)
    return spec, record


def measuring(spec: RunSpec) -> tuple[int, ...]:
    return measuring_steps(spec.total_steps, spec.measuring_points)


@dataclass
class Cost:
    """Of one run."""

    requests: float
    seconds: float
    server_cpu: float
    database: float
    """Bytes."""
    artifacts: float
    read_seconds: float


def measure(store: str, folder: Path, size: Any) -> Cost:
    spec, record = trained()
    with server(store, folder) as (uri, pid):
        client = connect(uri)
        fixed = {key: value for key, value in record.spec.items() if key != "seed"}
        study = Study.model_validate({"name": "cost", "fixed": fixed, "vary": {"seed": [0]}})
        writer = RunWriter(client, open_experiment(client, study), study)
        log(writer, record, spec, -1)  # imports, first connections
        before, used, begun, start = size(), cpu_seconds(pid), Counted.count, time.perf_counter()
        for seed in range(RUNS):
            log(writer, record, spec, seed)
        spent, made = time.perf_counter() - start, Counted.count - begun
        used, grown = cpu_seconds(pid) - used, size() - before
        start = time.perf_counter()
        stored = StudyStore(client, find_experiment(client, "cost"))
        frame = stored.curves(list(stored.runs("training")))
        reading = time.perf_counter() - start
        assert frame["seed"].nunique() >= RUNS
    files = sum(path.stat().st_size for path in (folder / "artifacts").rglob("*") if path.is_file())
    return Cost(made / RUNS, spent / RUNS, used / RUNS, grown / RUNS, files / (RUNS + 1), reading / (RUNS + 1))


def log(writer: RunWriter, record: Record, spec: RunSpec, seed: int) -> None:
    spec = spec.model_copy(update={"seed": seed + 1})
    record.spec["seed"] = seed + 1
    writer.find(record.spec_hash)
    run = writer.begin(record, spec)
    writer.add(run, spec, metrics_without(record, {}) + writer.optimum(record))
    writer.end(run, record, spec)


class Counted:
    """Counts the requests of this process."""

    count = 0
    send = requests.Session.send


def counting(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
    Counted.count += 1
    return Counted.send(self, request, **options)


requests.Session.send = counting  # type: ignore[method-assign]


@contextmanager
def server(store: str, folder: Path) -> Iterator[tuple[str, int]]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    command += ["--backend-store-uri", store, "--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | quiet, cwd=folder)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise SystemExit("the MLflow server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its descendants."""
    parents, used = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
        used[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(member, 0.0) for member in family)


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield the address of a new PostgreSQL database and what tells its size."""
    bin_folder, data, port = POSTGRES[-1].parent, folder / "postgres", free_port()
    user = "postgres" if os.geteuid() == 0 else None
    data.mkdir()
    if user:
        os.chown(data, pwd.getpwnam(user).pw_uid, -1)
        folder.chmod(0o755)
    run: dict[str, Any] = {"user": user, "cwd": data, "capture_output": True, "text": True}
    subprocess.run([bin_folder / "initdb", "-D", data, "-U", "normlaw", "-A", "trust"], check=True, **run)
    command: list[str | Path] = [bin_folder / "postgres", "-D", data, "-p", str(port), "-k", data]
    process = subprocess.Popen(
        command, user=user, cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    place = ["-h", "127.0.0.1", "-p", str(port), "-d", "postgres"]
    sql: list[str | Path] = [bin_folder / "psql", *place, "-U", "normlaw", "-Atc"]
    try:
        for _ in range(300):
            if subprocess.run([*sql, "select 1"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.2)
        size = "select pg_database_size('postgres')"
        yield (
            f"postgresql+psycopg://normlaw@127.0.0.1:{port}/postgres",
            lambda: int(subprocess.run([*sql, size], check=True, **run).stdout),
        )
    finally:
        process.terminate()
        process.wait(timeout=60)


def server_table() -> list[str]:
    """Return what a run costs each kind of server; the CPU time is MLflow's alone."""
    lines = [
        "| store | requests | s, one client | server CPU, s | database, kB | artifacts, kB "
        "| reading its curve, ms |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    found = {}
    for name in ("SQLite", "PostgreSQL"):
        folder = Path(tempfile.mkdtemp(prefix="normlaw-cost-"))
        try:
            if name == "SQLite":
                store = folder / "mlflow.db"
                found[name] = measure(f"sqlite:///{store}", folder, lambda store=store: store.stat().st_size)
            elif POSTGRES:
                with postgresql(folder) as (address, size):
                    found[name] = measure(address, folder, size)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    for name, cost in found.items():
        lines.append(
            f"| {name} | {cost.requests:.1f} | {cost.seconds:.2f} | {cost.server_cpu:.2f} | "
            f"{cost.database / 1e3:.0f} | {cost.artifacts / 1e3:.1f} | {cost.read_seconds * 1e3:.0f} |"
        )
    return lines
