"""What a worker on another machine leaves behind when it crashes: a file in the folder that is shared."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def last_words_path(token: Path, spec_hash: str) -> Path:
    """Return where a worker leaves its last words on a stack, given the launch's token and the first run."""
    return token.with_name(f"{token.stem}-{spec_hash}.crash")


@contextmanager
def leaving_last_words(path: Path) -> Iterator[None]:
    """Have a crash written to a file while the block lasts; the file is gone when nothing has crashed."""
    was_enabled = faulthandler.is_enabled()
    try:
        file = path.open("wb", buffering=0)
    except OSError:  # a crash is then told without its place
        yield
        return
    with file:
        faulthandler.enable(file, all_threads=False)
        try:
            yield
        finally:
            faulthandler.disable()
            if was_enabled and sys.__stderr__ is not None:
                faulthandler.enable(sys.__stderr__)
            path.unlink(missing_ok=True)


def take_last_words(path: Path) -> str:
    """Return what a worker left, and remove it; empty where it was killed, and could not write anything."""
    words = ""
    with suppress(OSError):
        words = path.read_text(encoding="utf-8", errors="replace")
        path.unlink()
    return words
