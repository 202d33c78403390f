from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from normlaw.page.guard import COOKIE, Guard, is_loopback
from normlaw.page.view import View
from normlaw_registry import InputError


def test_a_link_keeps_the_whole_view() -> None:
    view = View(
        study='<"&study', setting="a=1 b=2", x="log_norm/weight_norm", response="test_loss",
        protocol="released", sizes=(30, 60), seeds=(0, 2), single=True, gamma_1=1.25, gamma_2=-0.5,
    )  # fmt: skip
    assert View.of(parse_qsl(view.query())) == view
    assert View.of(parse_qsl(view.query(sizes=(), gamma_1=None))).sizes == ()
    assert View.of([]) == View()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("response", "accuracy", "test_error or test_loss"),
        ("size", "1e3", "size must be a whole number"),
        ("seed", "٣", "seed must be a whole number"),
        ("gamma_1", "nan", "gamma_1 must be a number"),
        ("gamma_2", "1e9", "of size 20 at most"),
    ],
)
def test_what_makes_no_sense_is_told(name: str, value: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        View.of([(name, value)])


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False),
     ("::", False), ("192.168.1.7", False), ("example.org", False)],
)  # fmt: skip
def test_what_others_reach_is_known(host: str, own: bool) -> None:
    assert is_loopback(host) is own


class Request:
    """As much of one as a guard looks at."""

    def __init__(self, path: str = "/", headers: dict[str, str] | None = None, cookie: str = "") -> None:
        self.headers = headers or {}
        self.cookies = {COOKIE: cookie}
        self.url = type("Url", (), {"path": path})()


def test_a_guard_admits_by_cookie_or_header_alone() -> None:
    guard = Guard("the token of this page")
    assert not guard.admits(Request())  # type: ignore[arg-type]
    assert guard.admits(Request("/static/page.css"))  # type: ignore[arg-type]
    for given, admitted in (
        ("Bearer the token of this page", True),
        ("Bearer other", False),
        ("Basic x", False),
    ):
        assert guard.admits(Request(headers={"authorization": given})) is admitted  # type: ignore[arg-type]
    cookie = guard.cookie_for(b"token=the+token+of+this+page")
    assert cookie
    assert "token" not in cookie
    assert guard.admits(Request(cookie=cookie))  # type: ignore[arg-type]
    assert not guard.admits(Request(cookie="the token of this page"))  # type: ignore[arg-type]
    assert guard.cookie_for(b"token=wrong") is None
    assert guard.cookie_for(b"\xff\xfe") is None
    assert Guard("").admits(Request())  # type: ignore[arg-type]
    assert Guard("").cookie_for(b"token=") is None
