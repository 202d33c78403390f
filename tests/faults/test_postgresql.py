"""The promises hold in PostgreSQL too, restarted or not. The server is started here, as its own user."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from normlaw.tracking.client import connect, impatient
from normlaw.tracking.database import Database
from normlaw.tracking.imported import import_curves
from normlaw.tracking.reader import find_experiment, search_runs
from normlaw.tracking.sender import Sender
from normlaw_tests.processes import run, start
from normlaw_tests.servers import free_port
from normlaw_tests.waiting import wait_until

pytestmark = pytest.mark.slow

USER = "postgres"


def program(name: str) -> str | None:
    """Return where a program of PostgreSQL's server is."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name)


def as_its_user(*command: str) -> list[str]:
    """Return a command that PostgreSQL, which refuses to be root, takes from root."""
    return (
        ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", *command]
        if os.getuid() == 0
        else [*command]
    )


@dataclass
class Postgres:
    """A PostgreSQL server with a folder of its own, on loopback."""

    folder: Path
    port: int

    @property
    def uri(self) -> str:
        return f"postgresql+psycopg://normlaw@127.0.0.1:{self.port}/postgres"

    def control(self, *arguments: str) -> None:
        command = as_its_user(str(program("pg_ctl")), "-D", str(self.folder / "data"), "-w", *arguments)
        # `start` and no `run`, which would end the server too; told to a file, which the server keeps open.
        with (self.folder / "pg_ctl").open("w+") as told:
            process = start(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=told, stderr=told)
            status = process.wait()
            assert status == 0, (self.folder / "pg_ctl").read_text()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self.control("-l", str(self.folder / "log"), "-o", options, "start")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    if program("initdb") is None or program("pg_ctl") is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root, and setpriv is not there to change the user")
    with tempfile.TemporaryDirectory(
        prefix="normlaw-pg-"
    ) as name:  # pytest's folders are closed to other users
        folder = Path(name)
        folder.chmod(0o755)
        if os.getuid() == 0:
            shutil.chown(folder, USER, USER)
        server = Postgres(folder, free_port())
        make = [
            str(program("initdb")),
            "-D",
            str(folder / "data"),
            "-U",
            "normlaw",
            "--auth=trust",
            "--no-sync",
        ]
        run(as_its_user(*make), cwd=folder, check=True)
        server.start()
        try:
            yield server
        finally:
            server.control("-m", "immediate", "stop")


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    with impatient(30):
        yield


def test_sent_twice_changes_nothing_in_postgresql(make_desk: Any, postgres: Postgres, tables: Any) -> None:
    desk = make_desk("twice", postgres.uri, name="twice")
    for spec, status in zip(desk.specs, ["finished", "failed", None] * 2, strict=True):
        desk.journal(spec, status=status)
    first = desk.send()
    assert len(first.sent) == 6
    before = tables(postgres.uri)
    assert desk.send().sent == set()
    assert tables(postgres.uri) == before


def test_an_import_into_postgresql_leaves_what_requests_leave(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    client = connect(postgres.uri)
    size = np.repeat([100, 200], 6)
    curves = pd.DataFrame({"train_size": size, "seed": 0, "step": np.tile(np.arange(6), 2)})
    curves = curves.assign(
        **{"log_norm/norm": np.sqrt(np.arange(12.0)), "test/error": 1 / (2.0 + np.arange(12))}
    )

    def logged(study: str) -> list[Any]:
        assert import_curves(client, study, curves, "file.csv") == (2, 0)
        assert import_curves(client, study, curves, "file.csv") == (0, 2)
        return [
            (
                run.info.status,
                run.info.user_id,
                run.data.to_dictionary(),
                [
                    [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]
                    for name in run.data.metrics
                ],
                [(file.path, file.file_size) for file in client.list_artifacts(run.info.run_id)],
            )
            for run in search_runs(client, find_experiment(client, study), "imported")
        ]

    direct = logged("direct")
    monkeypatch.setattr(Database, "of", lambda client, experiment: None)
    assert direct == logged("asked")
    assert [run[0] for run in direct] == ["FINISHED", "FINISHED"]


def test_a_restarted_postgresql_loses_and_doubles_nothing(
    make_desk: Callable[..., Any], postgres: Postgres
) -> None:
    calm = make_desk("calm", name="calm")
    desk = make_desk("restarted", postgres.uri, name="restarted")
    for each in (calm, desk):
        for spec in each.specs:
            each.journal(spec, points=40)
    calm.send()
    troubles: list[str | None] = []
    with Sender(
        desk.writer(), desk.home, "restarted", on_backlog=lambda b: troubles.append(b.trouble)
    ) as sender:
        for number, spec in enumerate(desk.specs):
            sender.ended(spec.spec_hash)
            if number in (2, 4):
                postgres.control("-m", "immediate", "stop")
                wait_until(lambda: bool(troubles and troubles[-1]) or not sender.waiting)
                postgres.start()
        assert sender.finish(600), sender.unsent
    assert any(troubles)
    assert desk.content() == calm.content()


def test_connections_that_are_cut_over_and_over_lose_and_double_nothing(
    make_desk: Callable[..., Any], postgres: Postgres
) -> None:
    calm = make_desk("calm", name="calm")
    desk = make_desk("cut", postgres.uri, name="cut")
    for each in (calm, desk):
        for spec in each.specs:
            each.journal(spec, points=40)
    calm.send()
    sending = threading.Event()
    cuts = 0

    def cut() -> None:
        nonlocal cuts
        others = "select pg_terminate_backend(pid) from pg_stat_activity where client_port > 0 and pid <> %s"
        with psycopg.connect(postgres.uri.replace("+psycopg", ""), autocommit=True) as connection:
            while sending.is_set():
                cuts += len(connection.execute(others, (connection.info.backend_pid,)).fetchall())
                time.sleep(0.02)

    writer = desk.writer()
    with Sender(writer, desk.home, "cut") as sender:
        sending.set()
        cutter = threading.Thread(target=cut)
        cutter.start()
        for spec in desk.specs:
            sender.ended(spec.spec_hash)
        wait_until(lambda: cuts > 2)
        sending.clear()
        cutter.join()
        assert sender.finish(600), sender.unsent
    assert cuts > 2
    assert desk.content() == calm.content()
