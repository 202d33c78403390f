"""A server that is away, broken or hostile costs no training and no data."""

from __future__ import annotations

import http.client
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from normlaw.tracking import sender as sender_module
from normlaw.tracking.client import impatient
from normlaw.tracking.record import read_journal
from normlaw.tracking.sender import Backlog, Sender
from normlaw_tests.servers import DATABASE, free_port
from normlaw_tests.waiting import wait_until


class Proxy:
    """Stands before a real MLflow server; `mood` says what becomes of each request.

    pass: handed on. 500, 403: answered so, not handed on. lost: handed on, and the answer thrown away.
    hang: kept waiting until the client gives up. drop: the connection is closed at once.
    """

    def __init__(self, server: str) -> None:
        self.mood: Callable[[], str] = lambda: "pass"
        self.counts: dict[str, int] = {}
        proxy, target = self, urlsplit(server)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else what is written in two goes waits 40 ms for the client's word

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                mood = proxy.mood()
                proxy.counts[mood] = proxy.counts.get(mood, 0) + 1
                if mood == "hang":
                    self.connection.recv(1)  # comes back when the client has closed
                if mood in ("hang", "drop"):
                    self.close_connection = True
                    return
                if mood.isdigit():
                    self._answer(int(mood), {}, b"the proxy says no")
                    return
                connection = http.client.HTTPConnection(str(target.hostname), target.port)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                if mood == "lost":
                    self.close_connection = True
                    return
                self._answer(answer.status, {"Content-Type": answer.headers.get("Content-Type", "")}, content)

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for key, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def proxy(mlflow_server: Any) -> Iterator[Proxy]:
    made = Proxy(mlflow_server.uri)
    yield made
    made.close()


@pytest.fixture
def _patience() -> Iterator[None]:
    with impatient(5):  # as a launch has it, but quicker
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("_patience")
def test_errors_timeouts_and_lost_answers_leave_every_run_there_once(
    make_desk: Any, proxy: Proxy, mlflow_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "LAST_PAUSE", 0.1)  # between tries; the answers are what counts here
    undisturbed = make_desk("undisturbed", mlflow_server.uri, name="undisturbed")
    troubled = make_desk("troubled", proxy.uri, name="troubled")
    for desk in (undisturbed, troubled):
        for spec in desk.specs:
            desk.journal(spec)
    undisturbed.send()
    writer = troubled.writer()
    # A second is enough where each request is tried again, whichever a busy machine makes late.
    with impatient(1), Sender(writer, troubled.home, "troubled") as sender:
        draw = random.Random(8)
        moods = ["pass"] * 7 + ["500", "503", "lost", "lost", "drop"]
        queue = ["hang", *draw.choices(moods, k=36)]
        proxy.mood = lambda: queue.pop() if queue else "pass"
        for spec in troubled.specs:
            sender.ended(spec.spec_hash)
        assert sender.finish(600)
        proxy.mood = lambda: "pass"
    assert proxy.counts["lost"] > 2
    assert proxy.counts["500"] > 0
    assert troubled.content() == undisturbed.content()


@pytest.mark.usefixtures("_patience")
@pytest.mark.slow
def test_an_outage_is_told_waited_out_and_costs_nothing(make_desk: Any, proxy: Proxy) -> None:
    desk = make_desk(uri=proxy.uri, name="outage")
    told: list[Backlog] = []
    with Sender(desk.writer(), desk.home, "outage", on_backlog=told.append) as sender:
        proxy.mood = lambda: "drop"
        for spec in desk.specs[:3]:
            desk.journal(spec)
            sender.ended(spec.spec_hash)
        wait_until(lambda: bool(told) and told[-1].runs == 3 and told[-1].trouble is not None)
        assert not sender.finish(patience=0.5)
        assert set(sender.unsent) == {spec.spec_hash for spec in desk.specs[:3]}
        proxy.mood = lambda: "pass"
        assert sender.finish(600)
        assert told[-1] == Backlog(0, None)
    assert len(desk.runs()) == 3


@pytest.mark.usefixtures("_patience")
@pytest.mark.slow
def test_a_refusal_is_told_and_not_tried_again_until_asked(make_desk: Any, proxy: Proxy) -> None:
    desk = make_desk(uri=proxy.uri, name="refusal")
    writer = desk.writer()
    proxy.mood = lambda: "403"
    refusals: list[str] = []
    with Sender(writer, desk.home, "refusal", on_refusal=refusals.append) as sender:
        desk.journal(desk.specs[0])
        sender.ended(desk.specs[0].spec_hash)
        assert not sender.finish(600)
        assert proxy.counts["403"] == 1
        (reason,) = sender.unsent.values()
        assert "403" in reason
        assert refusals == [reason]
    proxy.mood = lambda: "pass"
    assert desk.send().sent == {desk.specs[0].spec_hash}


@pytest.mark.usefixtures("_patience")
def test_a_server_that_keeps_silent_when_sending_ends_is_taken_for_away(
    make_desk: Any, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launch that was interrupted then asks it nothing more."""
    monkeypatch.setattr(sender_module, "STOP_SECONDS", 0.1)
    desk = make_desk(uri=proxy.uri, name="silent")
    with Sender(desk.writer(), desk.home, "silent") as sender:
        proxy.mood = lambda: "hang"
        desk.journal(desk.specs[0])
        sender.ended(desk.specs[0].spec_hash)
        wait_until(lambda: proxy.counts.get("hang"))
        assert not sender.away
    assert sender.away


def test_pauses_grow_and_are_bounded(desk: Any) -> None:
    sender = Sender(desk.writer(), desk.home, "small")
    pauses = []
    for _ in range(12):
        sender._back_off(OSError("away"))
        pauses.append(sender._not_before - time.monotonic())
    assert pauses[0] < 1
    assert 20 < pauses[-1] <= 90


@pytest.mark.slow
def test_a_server_killed_and_started_again_while_runs_train(
    nursery: Any,
    make_desk: Any,
    small: dict[str, Any],
    write_study: Callable[[dict[str, Any]], Path],
    mlflow_process: Any,
    empty_database: Path,
    tmp_path: Path,
) -> None:
    place = tmp_path / "server"
    place.mkdir()
    shutil.copy(empty_database, place / DATABASE)
    port = free_port()
    changes = {"fixed": small["fixed"] | {"steps": 300, "measuring_points": 30}}
    with mlflow_process(place, port) as server:
        desk = make_desk(uri=server.uri, **changes)
        arguments = ("run", str(write_study(small | changes)), "--tracking-uri", server.uri)
        options = ("--max-parallel", "1", "--device", "cpu")
        soon = {"normlaw.tracking.sender.LONGEST_PAUSE": 1.0}
        launch = nursery.launch(desk.folder, *arguments, *options, settings=soon)
        wait_until(lambda: bool(list(desk.folder.glob(".normlaw/journal/*/*.sending"))), while_running=launch)
        os.killpg(server.pid, signal.SIGKILL)
    wait_until(lambda: "MLflow does not answer" in (desk.folder / "out.txt").read_text(), while_running=launch)
    with mlflow_process(place, port):
        assert nursery.wait(launch) == 0, (desk.folder / "out.txt").read_text()
        told = (desk.folder / "out.txt").read_text()
        assert "MLflow answers again" in told
        assert "small: 6 trained, 0 already there, 0 failed" in told
        runs = [run for runs in desk.runs().values() for run in runs]
        assert [run.info.status for run in runs] == ["FINISHED"] * 6
        for run in runs:
            journal = (
                desk.folder / ".normlaw" / "journal" / "small" / f"{run.data.tags['normlaw.spec_hash']}.jsonl"
            )
            record = read_journal(journal)
            assert record is not None
            history = desk.client.get_metric_history(run.info.run_id, "test/loss")
            assert [metric.value for metric in history] == [point["test/loss"] for point in record.points]


@pytest.mark.slow
def test_an_interrupt_leaves_at_once_when_only_sending_is_left_and_sync_sends(
    nursery: Any, make_desk: Any, small: dict[str, Any], write_study: Any, proxy: Proxy
) -> None:
    small["name"] = "left"
    desk = make_desk(uri=proxy.uri, name="left")
    journals = desk.folder / ".normlaw" / "journal" / "left"
    proxy.mood = lambda: "drop" if any(journals.glob("*.jsonl")) else "pass"
    arguments = ("run", str(write_study(small)), "--tracking-uri", proxy.uri, "--device", "cpu")
    launch = nursery.launch(desk.folder, *arguments)
    wait_until(
        lambda: len([p for p in journals.glob("*.jsonl") if b'"finished"' in p.read_bytes()]) == 6,
        while_running=launch,
    )
    wait_until(lambda: "6/6" in (desk.folder / "out.txt").read_text(), while_running=launch)
    wait_until(lambda: "MLflow does not answer" in (desk.folder / "out.txt").read_text(), while_running=launch)
    tried = proxy.counts["drop"]
    os.kill(launch, signal.SIGINT)
    assert nursery.wait(launch) == 130
    assert proxy.counts["drop"] <= tried + 3, "it waited for the server, which it would ask ten times and more"
    told = (desk.folder / "out.txt").read_text()
    assert "MLflow does not answer" in told
    assert "go on with: normlaw resume left" in told
    assert "Traceback" not in told
    proxy.mood = lambda: "pass"
    assert nursery.wait(nursery.launch(desk.folder, "sync", "--tracking-uri", proxy.uri)) == 0
    assert "left: 6 sent, 0 already there" in (desk.folder / "out.txt").read_text()
    assert [run.info.status for runs in desk.runs().values() for run in runs] == ["FINISHED"] * 6
