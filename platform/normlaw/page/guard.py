"""Who may look at the page: everybody on this machine; elsewhere whoever has the token."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.requests import Request

COOKIE = "normlaw_page"
FREE = ("/static/", "/token")
"""What tells nothing of any study."""
LARGEST_FORM = 4096
"""Bytes of what is sent to log in."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that is bound to a host.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Knows a token by what a request carries: a cookie, which a form gives, or `Authorization: Bearer`.

    The token stands in no address, so that no log, history or link has it. The cookie is another text, worked
    out from it, which scripts cannot read.

    Args:
        token: what is asked for; empty: nothing is.

    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._cookie = hmac.new(token.encode(), b"normlaw page", hashlib.sha256).hexdigest() if token else ""

    def admits(self, request: Request) -> bool:
        """Return whether a request may be answered."""
        if not self._token or request.url.path.startswith(FREE):
            return True
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        bearer = kind.lower() == "bearer" and self._same(given.strip(), self._token)
        return bearer or self._same(request.cookies.get(COOKIE, ""), self._cookie)

    def cookie_for(self, form: bytes) -> str | None:
        """Return the cookie for whoever has sent the token in a form; None where it is another one."""
        given = parse_qs(form.decode("utf-8", "replace")).get("token", [""])[0]
        return self._cookie if self._token and self._same(given.strip(), self._token) else None

    @staticmethod
    def _same(given: str, wanted: str) -> bool:
        """Compare in a time that tells nothing of where the texts differ."""
        return hmac.compare_digest(given.encode(), wanted.encode())
