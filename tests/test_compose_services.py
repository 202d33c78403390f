"""Each service of docker-compose.yml run as a process: its own command, environment and health check.

Commands are read from docker-compose.yml and the Dockerfile; only hosts, ports and folders are this machine's.
PostgreSQL is Debian's (package `postgresql`). What is normlaw's or Dask's is forked, with its workers, from a
process that has imported what they need, and so is MLflow's server, with the two workers that it begins at
last: thirteen processes would spend three seconds each on it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
import yaml

from normlaw_tests import dask_cluster, forked
from normlaw_tests.pages import ask
from normlaw_tests.processes import Argument, run, start, stop
from normlaw_tests.servers import free_port
from normlaw_tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
TINY = """\
name: services_check
description: The least there is to train.
norm: weight_norm
fixed:
  architecture: {name: mlp, params: {hidden: [8]}}
  dataset: digits
  loss: cross_entropy
  optimizer: {name: adam, learning_rate: 1.0e-2}
  batch_size: 32
  steps: 60
  measuring_points: 12
  measures: [weight_norm]
vary:
  train_size: [60, 120]
  seed: {count: 1}
"""


def serve_mlflow(verb: str, *arguments: str) -> None:
    """Be `mlflow server`, the process of which uvicorn takes over; workers of its own are forked, too.

    What was imported of MLflow's server is forgotten: it has taken its settings from the environment that it
    was imported in, and would let nobody in under the names that docker-compose.yml allows.
    """
    assert verb == "server"
    for name in [*sys.modules]:
        if name.startswith("mlflow.server"):
            del sys.modules[name]
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, closefd=False)  # the one that workers are given
    from normlaw_tests import lone_server  # which takes seconds, where nothing has imported MLflow yet

    lone_server.serve(arguments)


FORKED = {"normlaw": forked.program, "dask": dask_cluster.command, "mlflow": serve_mlflow}
"""What runs a program in a process that is forked, which spares it the seconds of its imports."""
SHELL = "sh"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not POSTGRES, reason="PostgreSQL is not installed (Debian: apt-get install postgresql)"),
]


def images() -> dict[str, dict[str, Any]]:
    """Return entrypoint, command and environment of each last stage of the Dockerfile."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found: dict[str, dict[str, Any]] = {}
    for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]:
        parent, name = re.match(r"(\S+) AS (\S+)", stage).groups()
        image = found[name] = {"entrypoint": [], "command": [], "environment": {}}
        image["environment"].update(found.get(parent, image)["environment"])
        for key, kind in (("entrypoint", "ENTRYPOINT"), ("command", "CMD")):
            if written := re.search(rf"^{kind} (\[.*\])$", stage, re.MULTILINE):
                image[key] = json.loads(written[1])
        for line in re.findall(r"^ENV (.+)$", stage, re.MULTILINE):
            image["environment"].update(item.split("=", 1) for item in line.split())
    return found


class Machine:
    """Runs the services on one machine, without containers."""

    def __init__(self, folder: Path, mlflow_api: Callable[[str], Any]) -> None:
        self.services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        self.images = images()
        self.folder = folder
        names = ("POSTGRES_PASSWORD", "MLFLOW_ADMIN_PASSWORD", "MLFLOW_SECRET_KEY")
        self.settings = {name: secrets.token_hex(24) for name in names}
        ports = {
            name: str(free_port()) for name in ("postgres", "mlflow", "page", "scheduler", "status", "worker")
        }
        self.settings["NORMLAW_PORT"] = ports["mlflow"]
        self.uri = f"http://127.0.0.1:{ports['mlflow']}"
        self.page = f"http://127.0.0.1:{ports['page']}"
        self.api = mlflow_api(self.uri)
        self.store, self.work = folder / "store", folder / "work"
        for path in (self.store / "artifacts", self.store / "home", self.work / "studies", folder / "bin"):
            path.mkdir(parents=True)
        (self.work / "studies" / "tiny.yaml").write_text(TINY)
        told = 'printf "%s\\n" mlflow "$@"'  # what the shell would run is run forked
        for program, line in (("python", f'exec {sys.executable} "$@"'), ("mlflow", told)):
            (folder / "bin" / program).write_text(f"#!/bin/sh\n{line}\n")
            (folder / "bin" / program).chmod(0o755)
        self.places = {
            "/var/lib/mlflow/artifacts": str(self.store / "artifacts"),
            "/var/lib/normlaw": str(self.store / "home"),
            "/etc/mlflow/basic_auth.ini": str(folder / "basic_auth.ini"),
            "/usr/local/bin/store.sh": str(ROOT / "deploy" / "store.sh"),
            "postgres:5432": f"127.0.0.1:{ports['postgres']}",
            "http://mlflow:5000": self.uri,
            "tcp://scheduler:8786": f"tcp://127.0.0.1:{ports['scheduler']}",
            "0.0.0.0": "127.0.0.1",
            "5000": ports["mlflow"],
            "5080": ports["page"],
            "8786": ports["scheduler"],
            "8787": ports["status"],
            "8790": ports["worker"],
        }
        self.more = {"PGHOST": "127.0.0.1", "PGPORT": ports["postgres"], "STORE": str(self.store)}
        self.more["MLFLOW_WORKERS"] = "1"  # until a test says otherwise: each imports MLflow
        accounts = (ROOT / "deploy" / "basic_auth.ini").read_text()
        (folder / "basic_auth.ini").write_text(self.here(accounts))
        self.running: dict[str, subprocess.Popen[bytes] | ForkServerProcess] = {}

    def here(self, text: str) -> str:
        """Put this machine's places and settings into a value of the compose file."""
        text = re.sub(r"\$\{(\w+):?[-?]?[^}]*\}", lambda m: self.settings.get(m[1], ""), text)
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text.replace("$$", "$")

    def command(self, service: str, *arguments: str) -> list[str]:
        declared = self.services[service]
        image = self.images.get(declared.get("build", {}).get("target", ""), {"entrypoint": [], "command": []})
        first = declared.get("entrypoint", image["entrypoint"])
        rest = list(arguments) or declared.get("command", image["command"])
        return [self.here(word) for word in [*first, *rest]]

    def environment(self, service: str) -> dict[str, str]:
        declared = self.services[service]
        image = self.images.get(declared.get("build", {}).get("target", ""), {"environment": {}})
        named = image["environment"] | declared.get("environment", {})
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "NORMLAW_", "PG"))}
        path = {"PATH": f"{self.folder / 'bin'}:{POSTGRES[-1].parent}:{os.environ['PATH']}"}
        return kept | {k: self.here(v) for k, v in named.items()} | self.more | path

    def start(self, service: str) -> None:
        """Start a service, which leads a group, and wait until its own health check passes."""
        command, environment = self.command(service), self.environment(service)
        path = self.folder / f"{service}.log"
        if command[0] == SHELL:
            command = run(command, env=environment, check=True).stdout.splitlines()
        if command[0] in FORKED:
            self.running[service] = forked.begin(
                _lead, FORKED[command[0]], *command[1:], out=path, folder=self.folder, env=environment
            )
        else:
            with path.open("ab") as log:
                self.running[service] = start(
                    command,
                    env=environment,
                    cwd=self.folder,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        self.wait_until_healthy(service)

    def healthy(self, service: str) -> bool:
        kind, *check = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [self.here(word) for word in check]
        return run(command, env=self.environment(service)).returncode == 0

    def wait_until_healthy(self, service: str) -> None:
        try:
            wait_until(lambda: self.healthy(service), while_running=self.pid(service), pause=1.0)
        except AssertionError as ended:
            log = self.folder / f"{service}.log"
            pytest.fail(f"{service} is not healthy: {ended}\n{log.read_text()[-3000:]}")

    def pid(self, service: str) -> int:
        """Return the process that leads a service's group."""
        pid = self.running[service].pid
        assert pid is not None
        return pid

    def stop(self, service: str, number: int = signal.SIGTERM) -> None:
        os.killpg(self.pid(service), number)
        process = self.running.pop(service)
        process.wait() if isinstance(process, subprocess.Popen) else process.join()

    def kill(self) -> None:
        """Kill what a test that failed has left running."""
        for service, process in self.running.items():
            if isinstance(process, subprocess.Popen):
                stop(process)
            else:
                with suppress(ProcessLookupError):
                    os.killpg(self.pid(service), signal.SIGKILL)
                process.join()

    def runner(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Do what `docker compose run --rm runner ARGUMENTS` does."""
        program, *words = self.command("runner", *arguments)
        assert program == "normlaw"
        return forked.normlaw(*words, env=self.environment("runner"), folder=self.work)

    def run(self, service: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Do what `docker compose run --rm SERVICE` does."""
        return run(self.command(service), env=self.environment(service), cwd=self.work, input=data, text=False)

    def files(self) -> dict[str, bytes]:
        """Return everything below the store, apart from data sets."""
        found = (path for path in sorted(self.store.rglob("*")) if path.is_file())
        return {
            str(path.relative_to(self.store)): path.read_bytes()
            for path in found
            if "home/data" not in str(path)
        }


def _lead(program: Callable[..., None], *arguments: str) -> None:
    """Run a program as the first process of a group."""
    os.setsid()
    program(*arguments)


def start_postgres(machine: Machine, data: Path) -> None:
    """Set up the data folder as the image's entrypoint does, then run what that runs.

    PostgreSQL refuses to run as root, and reads what its user may read alone.
    """
    names = {k: machine.here(v) for k, v in machine.services["postgres"]["environment"].items()}
    user = "postgres" if os.geteuid() == 0 else None
    secret = data / "secret"
    secret.write_text(names["POSTGRES_PASSWORD"])
    if user:
        for path in (data, secret):
            shutil.chown(path, user)
    bin_folder, folder = POSTGRES[-1].parent, data / "database"
    setup: list[Argument] = [
        bin_folder / "initdb",
        "-D",
        folder,
        "-U",
        names["POSTGRES_USER"],
        f"--pwfile={secret}",
    ]
    run([*setup, "--auth=scram-sha-256", "--no-sync"], check=True, user=user, cwd=data)
    command: list[Argument] = [bin_folder / "postgres", "-D", folder, "-p", machine.more["PGPORT"]]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}"]
    with (machine.folder / "postgres.log").open("wb") as log:
        machine.running["postgres"] = start(
            command, user=user, cwd=data, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    machine.wait_until_healthy("postgres")
    made = machine.environment("postgres") | {"PGPASSWORD": names["POSTGRES_PASSWORD"]}
    create = [str(bin_folder / "createdb"), "-U", names["POSTGRES_USER"], names["POSTGRES_DB"]]
    run(create, env=made, check=True)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, mlflow_api: Callable[[str], Any]) -> Iterator[Machine]:
    """PostgreSQL and, on it, the MLflow server."""
    machine = Machine(tmp_path_factory.mktemp("services"), mlflow_api)
    data = Path(tempfile.mkdtemp(prefix="normlaw-postgres-"))
    try:
        start_postgres(machine, data)
        machine.start("mlflow")
        yield machine
    finally:
        try:
            for service in reversed(list(machine.running)):
                machine.stop(service, signal.SIGINT if service == "postgres" else signal.SIGTERM)
        finally:
            machine.kill()
            shutil.rmtree(data)


def test_the_runner_trains_on_postgresql(machine: Machine) -> None:
    done = machine.runner("run", "studies/tiny.yaml")
    assert done.returncode == 0, done.stderr
    assert "2 trained" in done.stdout
    assert len(machine.api.runs()) >= 2
    assert any("journal/services_check" in name for name in machine.files())


def test_the_page_shows_what_was_trained_to_whoever_has_the_password(machine: Machine) -> None:
    machine.start("page")
    try:
        assert ask(machine.page, "/").status == 401
        token = {"Authorization": f"Bearer {machine.settings['MLFLOW_ADMIN_PASSWORD']}"}
        assert "services_check" in ask(machine.page, "/", headers=token).text
        shown = ask(machine.page, "/runs", ("study", "services_check"), headers=token)
        run_page = re.search(r"/run\?study=services_check&amp;run=(\w+)", shown.text)
        assert run_page
        run_shown = ask(machine.page, "/run", ("study", "services_check"), ("run", run_page[1]), headers=token)
        assert f'href="{machine.uri}/#/experiments/' in run_shown.text
        assert "train_size: " in run_shown.text  # of its journal, on the volume
        assert machine.settings["MLFLOW_ADMIN_PASSWORD"] not in (machine.folder / "page.log").read_text()
    finally:
        machine.stop("page")


def test_a_worker_trains_what_the_runner_hands_to_the_scheduler(machine: Machine) -> None:
    (machine.work / "studies" / "other.yaml").write_text(TINY.replace("services_check", "on_the_cluster"))
    machine.start("scheduler")
    try:
        machine.start("worker")
        cluster = ("--executor", "dask", "--scheduler", machine.here("tcp://scheduler:8786"))
        done = machine.runner("run", "studies/other.yaml", *cluster)
        assert done.returncode == 0, done.stderr
        assert "2 trained" in done.stdout
    finally:
        for service in ("worker", "scheduler"):
            if service in machine.running:
                machine.stop(service)


def test_a_backup_brings_everything_back_while_the_server_runs(machine: Machine) -> None:
    runs, files = machine.api.runs(), machine.files()
    assert runs
    backup = machine.run("backup")
    assert backup.returncode == 0, backup.stderr.decode()

    for experiment in machine.api.ask("experiments/search", max_results=10)["experiments"]:
        if experiment["name"] != "Default":
            machine.api.ask("experiments/delete", experiment_id=experiment["experiment_id"])
    shutil.rmtree(machine.store / "home" / "journal")
    for folder in (machine.store / "artifacts").iterdir():
        shutil.rmtree(folder)
    (machine.store / "home" / "later").write_text("written after the backup")
    assert machine.api.runs() == {}

    cut = machine.run("restore", data=backup.stdout[: len(backup.stdout) // 2])
    assert cut.returncode == 1
    assert b"nothing was changed" in cut.stderr
    assert machine.api.runs() == {}
    assert (machine.store / "home" / "later").exists()

    restored = machine.run("restore", data=backup.stdout)
    assert restored.returncode == 0, restored.stderr.decode()
    assert machine.api.runs() == runs
    assert machine.files() == files


def test_a_backup_goes_to_no_terminal_and_a_restore_wants_a_file(machine: Machine) -> None:
    assert machine.run("restore", data=b"no tar file").returncode == 1
    assert run([ROOT / "deploy" / "store.sh"]).returncode == 2


def test_accounts_shut_strangers_out_and_let_the_runner_in(machine: Machine) -> None:
    runs = machine.api.runs()
    assert not machine.healthy("auth"), "the check must tell a server that answers strangers"
    machine.stop("mlflow")
    machine.settings["COMPOSE_PROFILES"] = "cluster,auth"
    del machine.more["MLFLOW_WORKERS"]  # as many as docker-compose.yml has, with a secret in common
    machine.start("mlflow")
    assert machine.healthy("auth")
    for password in (None, "wrong"):
        with pytest.raises(HTTPError) as refused:
            machine.api.runs(password)
        assert refused.value.code == 401
    assert machine.api.runs(machine.settings["MLFLOW_ADMIN_PASSWORD"]) == runs
    again = machine.runner("run", "studies/tiny.yaml")
    assert "2 already there" in again.stdout, again.stderr
