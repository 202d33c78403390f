"""Put off what stops a launch for the moments in which an interruption would leave something half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What is sent to a whole group of processes to stop it: the launcher hears it, and tells its workers."""
beginning = threading.Lock()
"""Held while a process is being started: whoever ends all processes waits for the one that is not known yet."""


@contextmanager
def put_off() -> Iterator[None]:
    """Act on signals only when the block is over; a process that is started in it begins with them blocked.

    Blocking them alone would not do: another thread would take them, and Python act on them in this one.
    What came is handed to Python's handler and not raised again: whoever counts signals by
    `signal.set_wakeup_fd` has counted it. What is ignored stays ignored.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    ours = threading.current_thread() is threading.main_thread()
    found = {number: signal.getsignal(number) for number in SIGNALS} if ours else {}
    handlers = {n: handler for n, handler in found.items() if handler not in (None, signal.SIG_IGN)}
    came: list[signal.Signals] = []
    over = False

    def meet(number: int, frame: FrameType | None) -> None:
        if over:  # another interruption has kept the handler from being put back
            act(signal.Signals(number), frame)
        else:
            came.append(signal.Signals(number))

    def act(number: signal.Signals, frame: FrameType | None) -> None:
        handler = handlers[number]
        if callable(handler):
            handler(number, frame)
        else:  # the system's own, which nobody counts
            signal.signal(number, handler)
            signal.raise_signal(number)

    try:
        for number in handlers:
            signal.signal(number, meet)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)  # what no other thread has taken comes now
        over = True
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:
            act(number, None)
