"""normlaw's own page, served in this process, and plain requests to it."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from normlaw.page.serving import PageServer, page_server
from normlaw.verbs.serve import answers_for
from normlaw_tests.waiting import wait_until


@dataclass(frozen=True)
class Answer:
    """What a server says."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def ask(
    address: str,
    path: str,
    *pairs: tuple[str, str],
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Return the answer to a request; no redirect is followed."""
    query = f"?{urlencode(pairs)}" if pairs else ""
    request = urllib.request.Request(
        f"{address.rstrip('/')}{path}{query}", data=body, headers=dict(headers or {})
    )
    try:
        with urllib.request.build_opener(_Stay).open(request) as found:
            return Answer(found.status, dict(found.headers.items()), found.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers.items()), error.read())


@contextmanager
def served(home: Path, tracking_uri: str | None = None, host: str = "127.0.0.1") -> Iterator[PageServer]:
    """Serve the page of a home while the block lasts."""
    answers, close = answers_for(home, tracking_uri)
    page = page_server(answers, host, 0)
    thread = threading.Thread(target=page.run)
    thread.start()
    try:
        wait_until(lambda: page.server.started or not thread.is_alive())
        yield page
    finally:
        page.server.should_exit = True
        thread.join()
        close()
