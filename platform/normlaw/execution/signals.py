"""Put off what stops a launch for the moments in which an interruption would leave something half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What is sent to a whole group of processes to stop it: the launcher hears it, and tells its workers."""


@contextmanager
def put_off() -> Iterator[None]:
    """Act on signals only when the block is over; a process that is started in it begins with them blocked.

    Blocking them alone would not do: another thread would take them, and Python act on them in this one.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    ours = threading.current_thread() is threading.main_thread()
    handlers = {n: h for n in SIGNALS if (h := signal.getsignal(n)) is not None} if ours else {}
    came: list[int] = []
    try:
        for number in handlers:
            signal.signal(number, lambda number, frame: came.append(number))
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
