"""Ctrl-C while a launch is under way: acknowledged at once, the first stops cleanly and the second hard."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from types import FrameType

from normlaw.execution.signals import beginning

SIGNALLED = 128
"""Added to a signal's number it gives the exit code: 130 for Ctrl-C, 143 for SIGTERM, as shells have it."""
SECONDS_TO_BEGIN = 1.0
"""How long a process that is being started may take until it is known; if longer, it ends with its launcher."""
SECONDS_TO_DIE = 1.0
SECONDS_TO_SAY = 5.0
SECONDS_FOR_LAST_ACTS = 10.0
last_acts: list[Callable[[], None]] = []
"""What a launch that is ended at once does all the same: end what would outlive it on other machines. Each is
called in a thread that may be left in the middle, and tells by `say` what is left to the user then."""
_CLEAR_LINE, _SHOW_CURSOR = "\r\x1b[2K", "\x1b[?25h"


class Interrupts:
    """What has been asked for by signals.

    Attributes:
        number: the first signal, None before it came.
        said: set by who has had the last word.

    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.said = threading.Event()
        self._last_word = threading.Lock()

    def take_last_word(self) -> bool:
        """Return whether it is the caller who says that all was stopped: once, of however many that try."""
        return self._last_word.acquire(blocking=False)

    def require_last_word(self) -> None:
        """Return where it is the caller who says that all was stopped; never, if the process ends at once."""
        if not self.take_last_word():
            threading.Event().wait()

    @property
    def exit_code(self) -> int:
        """What the command ends with when it was stopped."""
        return SIGNALLED + (self.number or signal.SIGINT)


@contextmanager
def interruptible(at_once: str) -> Iterator[Interrupts]:
    """Turn the first SIGINT or SIGTERM into KeyboardInterrupt; after it, a SIGINT ends the process at once.

    A thread says so and ends the process, whatever the main thread is at: a library's long computation, say.
    `last_acts` are done before; one SIGINT more leaves them.
    After a first signal the block leaves everything as it is, so that the second still counts while the program
    comes to its end. To be used in the main thread.

    Args:
        at_once: what is said when the process is ended at once.

    """
    interrupts = Interrupts()
    acknowledged = threading.Event()

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if interrupts.number is None:
            interrupts.number = number
            acknowledged.wait(SECONDS_TO_SAY)  # else all could be over before the thread has its turn
            raise KeyboardInterrupt

    signals, written_by_signals = os.pipe()
    os.set_blocking(written_by_signals, False)
    watched = (signals, at_once, acknowledged, interrupts)
    threading.Thread(target=_watch, args=watched, name="signals", daemon=True).start()
    wakeup = signal.set_wakeup_fd(written_by_signals, warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        if interrupts.number is None:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            os.close(written_by_signals)  # ends the thread


def _watch(signals: int, at_once: str, acknowledged: threading.Event, interrupts: Interrupts) -> None:
    stopping = False
    while number := os.read(signals, 1):
        if number[0] not in (signal.SIGINT, signal.SIGTERM):
            continue
        if not stopping:
            stopping = True
            say("Stopping: each run is left at its next measuring point (Ctrl-C once more: at once)")
            acknowledged.set()
        elif number[0] == signal.SIGINT:
            mine = interrupts.take_last_word()  # the main thread may come to its end while children are ended
            try:
                beginning.acquire(timeout=SECONDS_TO_BEGIN)  # and kept: none is started any more
                _end_children()
                _do_last_acts(signals)
            finally:  # a library that the first signal met while it was loaded may fail in any way
                if mine:
                    say(at_once)
                else:
                    interrupts.said.wait(SECONDS_TO_SAY)
                os._exit(SIGNALLED + signal.SIGINT)
    os.close(signals)


def _do_last_acts(signals: int) -> None:
    if not last_acts:
        return
    thread = threading.Thread(target=lambda: [act() for act in last_acts], daemon=True)
    thread.start()
    deadline = monotonic() + SECONDS_FOR_LAST_ACTS
    while thread.is_alive() and monotonic() < deadline:
        if select.select([signals], [], [], 0.05)[0] and os.read(signals, 1) == bytes([signal.SIGINT]):
            break


def say(text: str) -> None:
    """Write a line in place of the progress bar, past all buffers and their locks."""
    terminal = os.isatty(2)
    with suppress(OSError):
        os.write(2, f"{_CLEAR_LINE + _SHOW_CURSOR if terminal else ''}{text}\n".encode())


def _end_children() -> None:
    children = getattr(sys.modules.get("multiprocessing"), "active_children", None)
    if children is None:  # multiprocessing is not imported, or is being imported
        return
    killed = children()
    for child in killed:
        child.kill()
    for child in killed:
        child.join(SECONDS_TO_DIE)
