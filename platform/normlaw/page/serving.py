"""The page's server: where it listens, and whom it asks for a token."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from normlaw.page.application import application
from normlaw.page.guard import Guard, is_loopback
from normlaw_registry import InputError

if TYPE_CHECKING:
    from normlaw.page.answers import Answers

TOKEN = "NORMLAW_PAGE_TOKEN"  # the name of the variable
SHORTEST = 16
"""Characters of a token at least: it is all that keeps others out."""


@dataclass(frozen=True)
class PageServer:
    """A server that is bound and not yet run."""

    server: uvicorn.Server
    bound: socket.socket
    address: str
    token: str
    """What it asks for; empty: nothing."""
    made: bool
    """Whether the token was made here, so that nobody knows it yet."""

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM, or until the server is told to exit."""
        with self.bound:
            self.server.run(sockets=[self.bound])


def page_server(answers: Answers, host: str, port: int) -> PageServer:
    """Return what serves the page.

    Args:
        answers: what is answered.
        host: address that is bound; where others reach it too, a token is asked for: that of the environment
            variable NORMLAW_PAGE_TOKEN, else one that is made.
        port: 0 for any that is free.

    Raises:
        InputError: the address cannot be bound, or the token is too short to keep anybody out.

    """
    token = os.environ.get(TOKEN, "")
    if token and len(token) < SHORTEST:
        raise InputError(f"{TOKEN} has {len(token)} characters: {SHORTEST} at least keep others out")
    made = not token and not is_loopback(host)
    token = secrets.token_urlsafe(24) if made else token
    bound = _bind(host, port)
    hosts = ["127.0.0.1", "localhost", "[::1]"] if is_loopback(host) else ["*"]
    config = uvicorn.Config(
        application(answers, Guard(token), hosts),
        access_log=False,  # addresses hold names of studies
        log_level="warning",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
        server_header=False,
    )
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{bound.getsockname()[1]}/"
    return PageServer(uvicorn.Server(config), bound, address, token, made)


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; made here, so that a port that is taken is told as what it is."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(128)
    except OSError as error:
        raise InputError(
            f"{host}:{port} cannot be bound: {error.strerror or error}; choose --host and --port"
        ) from None
    return bound
