"""What is said at a terminal: words that come and go, and lines that fit."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from normlaw.base.terminal import Words, beside, fitted


def said(*, terminal: bool) -> str:
    console = Console(file=StringIO(), force_terminal=terminal, width=60)
    words = Words(console)
    with words.working("reading the study"):
        with words.working("asking MLflow"):
            words.now("looking")
        with words.paused():
            console.print("a result")
        words.now("")
    with words.working("unheard", logged=False):
        pass
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_words_are_shown_in_place_and_taken_back() -> None:
    text = said(terminal=True)
    shown = re.findall(r"(reading the study|asking MLflow|looking|a result|unheard)", text)
    assert list(dict.fromkeys(shown)) == [
        "reading the study",
        "asking MLflow",
        "looking",
        "a result",
        "unheard",
    ]
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.replace("\x1b[1A\x1b[2K", "\b")).splitlines()
    assert [line for line in lines if line.startswith(("a result", "\ba result"))]
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")  # the cursor is there again


def test_a_log_has_the_first_words_as_a_line() -> None:
    assert said(terminal=False) == "reading the study\na result\n"


def test_a_line_is_broken_between_words_and_a_path_never() -> None:
    path = "/a/very/long/path/that/is/to/be/copied"
    lines = fitted(f"  {path} is too long for twenty columns", 20).splitlines()
    assert lines == [f"  {path}", "    is too long for", "    twenty columns"]
    assert fitted("a long line " * 30, None).count("\n") == 0


@pytest.mark.parametrize("width", [None, 80, 60, 40])
def test_a_text_stands_beside_what_it_is_about_or_below_it(width: int | None) -> None:
    text = beside("name of it", "what is to be said of it, in some more words than fit", width, 24)
    assert " ".join(text.split()) == "name of it what is to be said of it, in some more words than fit"
    if width is None:
        assert text.startswith("name of it              what")
    else:
        assert max(map(len, text.splitlines())) <= width
        assert ("\n    what" in text) == (width < 58)
