"""What is said at a terminal: what is being done, in one line that goes again, and text in lines that fit."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = 80
"""Of a terminal that does not tell its own."""
LEAST_BESIDE = 34
"""Columns that a text takes beside what it is about; where fewer are left it stands below."""


class Words:
    """What is being done, for whoever waits.

    At a terminal the words stand below everything else and go when the work is done. Elsewhere, in a log, the
    first of them are a line, if they are to be logged: what is done within is not told.

    Args:
        console: where to; standard error, so that standard output stays for results.

    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._texts: list[str] = []
        self._live: Live | None = None
        self._logged = False

    @property
    def moving(self) -> bool:
        """Whether a line can be taken back here."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    @contextmanager
    def working(self, text: str, *, logged: bool = True) -> Iterator[None]:
        """Show a text while the block lasts; inner blocks show theirs in its place."""
        if logged and not self.moving and not self._logged:
            self._logged = True
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)
        self._texts.append(text)
        self._show()
        try:
            yield
        finally:
            self._texts.pop()
            self._logged = self._logged and bool(self._texts)
            self._show()

    def now(self, text: str) -> None:
        """Show another text, or none, for what is left of the innermost block."""
        if self._texts:
            self._texts[-1] = text
            self._show()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Show nothing while the block lasts, which writes to the terminal itself."""
        texts, self._texts = self._texts, []
        self._show()
        try:
            yield
        finally:
            self._texts = texts
            self._show()

    def _show(self) -> None:
        text = self._texts[-1] if self._texts else ""
        if self._live is not None and not text:
            live, self._live = self._live, None
            live.stop()
        elif text and self.moving:
            line = Spinner("dots", Text(f"{text} ..."))
            if self._live is not None:
                self._live.update(line, refresh=True)
                return
            # Standard output is not redirected: what is written to it must not land in standard error.
            self._live = Live(line, console=self.console, transient=True, redirect_stdout=False)
            self._live.start(refresh=True)


words = Words(Console(stderr=True))
"""Those of this process."""


def room(stream: TextIO) -> int | None:
    """Return how many columns a terminal has; None of what is none, where lines may be of any length."""
    try:
        if not stream.isatty():
            return None
        return int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size(stream.fileno()).columns or COLUMNS
    except (OSError, ValueError):
        return COLUMNS


def fitted(text: str, width: int | None, hanging: int = 2) -> str:
    """Return a text with its long lines broken between words, what follows indented by `hanging` more.

    A word that is wider stays whole: a path or an address is to be copied.

    >>> print(fitted("a line that is too long", 12))
    a line that
      is too
      long
    """
    if width is None:
        return text
    return "\n".join(part for line in text.splitlines() for part in _broken(line, width, hanging))


def beside(head: str, text: str, width: int | None, column: int | None = None) -> str:
    """Return a text beside what it is about, in lines of its own column; below it where that is too narrow.

    >>> print(beside("name", "what it is", None))
    name  what it is
    """
    at = max(column or 0, len(head) + 2)
    if width is None or at + len(text) <= width:
        return f"{head:<{at}}{text}".rstrip()
    if width - at < LEAST_BESIDE:
        return "\n".join([head.rstrip(), *_lines(text, width, " " * 4)])
    return "\n".join(_lines(text, width, " " * at, f"{head:<{at}}"))


def error_width() -> int | None:
    """Return the columns of standard error."""
    return room(sys.stderr)


def _broken(line: str, width: int, hanging: int) -> Iterable[str]:
    if len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return _lines(line.strip(), width, indent + " " * hanging, indent)


def _lines(text: str, width: int, indent: str, first: str | None = None) -> list[str]:
    return wrap(
        text,
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
