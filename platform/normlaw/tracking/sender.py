"""Send journals to MLflow in the background, so that training never waits for the server."""

from __future__ import annotations

import errno
import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from normlaw.base.redaction import first_line
from normlaw.study.home import journal_path
from normlaw.tracking.client import is_temporary, what_happened
from normlaw.tracking.delivery import BeingSentError, Delivery
from normlaw.tracking.record import read_journal
from normlaw.tracking.writer import RunWriter

LIVE_SECONDS = 30.0
"""How often, at most, the measurements of a run in training are sent; a shorter run is sent at its end."""
PATIENCE_SECONDS = 30.0
"""How long a launch waits for a server that is away when there is nothing left to train."""
FIRST_PAUSE, LONGEST_PAUSE, LAST_PAUSE = 0.5, 60.0, 3.0
"""Seconds between tries, doubled from the first to the longest; the last when the end of a launch waits."""
OTHERS_PAUSE = 2.0
"""Seconds until a run that another process is sending is looked at again."""
STOP_SECONDS = 5.0
"""How long an interrupted launch takes to mark its runs as killed."""
FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a disk of this machine that makes no room by being waited for."""


@dataclass(frozen=True)
class Backlog:
    """What waits to be sent, and why."""

    runs: int
    """Runs that have ended and are not at the server yet."""
    trouble: str | None = None
    """What the server said last, while it does not take anything."""


class Sender:
    """A thread that brings journals to the server: the ended ones whole, those in training every half minute.

    A server that is away is tried again, with growing pauses, as long as it takes. What the server refuses
    for good is left, and told. The journals stay in any case.

    Args:
        writer: of the study's experiment.
        home: folder of the journals.
        study: the study's name.
        known: identities of the runs that the server has something of.
        on_backlog: is told, from the thread, when what waits to be sent changes.
        on_refusal: is told, from the thread, what the server refuses for good.
        live_seconds: how often runs in training are sent.

    """

    def __init__(
        self,
        writer: RunWriter,
        home: Path,
        study: str,
        *,
        known: frozenset[str] = frozenset(),
        on_backlog: Callable[[Backlog], None] = lambda backlog: None,
        on_refusal: Callable[[str], None] = lambda reason: None,
        live_seconds: float = LIVE_SECONDS,
    ) -> None:
        self._writer, self._home, self._study = writer, home, study
        self._known, self._live_seconds = known, live_seconds
        self._tell, self._tell_refusal = on_backlog, on_refusal
        self._due: dict[str, float] = {}
        """When each run is to be looked at next, on the monotonic clock."""
        self._ended: set[str] = set()
        self._open: dict[str, Delivery] = {}
        """Runs that were sent while in training."""
        self._pause = FIRST_PAUSE
        self._not_before = 0.0
        self._last_backlog = Backlog(0)
        self._closing = self._stopping = False
        self._silent = False
        self._full = False
        """Whether this machine's disk had no room for what sending takes, at the last try."""
        self._changed = threading.Condition()
        self._jitter = random.Random()
        self._last_success = time.monotonic()
        self.sent: set[str] = set()
        """Runs that were brought to the server whole."""
        self.there: set[str] = set()
        """Runs that the server turned out to have already."""
        self.refused: dict[str, str] = {}
        """Runs that sending again cannot help, with the reason."""
        self._thread = threading.Thread(target=self._work, name="sender", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        """End the thread; mark the runs that were interrupted as killed, if the server answers at once."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(0.5 if self.away else STOP_SECONDS)
        self._silent = self._thread.is_alive()

    @property
    def away(self) -> bool:
        """Whether the server took nothing when it was tried last, or kept silent when sending was to end."""
        return self._silent or self._last_backlog.trouble is not None

    @property
    def waiting(self) -> set[str]:
        """Runs that have ended and are not at the server yet."""
        with self._changed:
            return self._ended - self.sent - self.there - self.refused.keys()

    @property
    def unsent(self) -> dict[str, str]:
        """Runs that have ended and are not at the server, with the reason."""
        reason = self._last_backlog.trouble or "another process is sending it"
        return dict.fromkeys(sorted(self.waiting), reason) | {
            spec_hash: reason for spec_hash, reason in self.refused.items() if spec_hash in self._ended
        }

    def in_training(self, spec_hash: str) -> None:
        """Note that a run has measured something."""
        with self._changed:
            if spec_hash not in self._due and spec_hash not in self._ended:
                self._due[spec_hash] = time.monotonic() + self._live_seconds
                self._changed.notify_all()

    def ended(self, spec_hash: str) -> None:
        """Note that a run's journal is to be sent whole, as nobody writes it any more."""
        with self._changed:
            self.refused.pop(spec_hash, None)
            self._ended.add(spec_hash)
            self._due[spec_hash] = 0.0
            self._changed.notify_all()
        self._report(self._last_backlog.trouble)

    def finish(self, patience: float = PATIENCE_SECONDS) -> bool:
        """Wait until all is sent, or the server has taken nothing for so many seconds; say whether all is.

        A full disk of this machine is tried once more, and not waited for.
        """
        with self._changed:
            self._closing, self._full = True, False
            self._last_success = time.monotonic()
            self._not_before = min(self._not_before, time.monotonic() + FIRST_PAUSE)
            self._changed.notify_all()
        while self.waiting and not self._full and time.monotonic() < self._last_success + patience:
            with self._changed:
                self._changed.wait(0.2)  # short: an interrupt is to be heard at once
        return not self.waiting and not self.refused

    def _work(self) -> None:
        while (spec_hash := self._next()) is not None:
            self._try(spec_hash)
        for spec_hash, delivery in self._open.items():  # interrupted in training
            with closing(delivery):
                try:
                    record = read_journal(journal_path(self._home, self._study, spec_hash))
                    if record is not None:
                        delivery.complete(record)
                except Exception as error:  # noqa: BLE001  # the launch has ended: `normlaw sync` does it
                    logging.getLogger(__name__).debug("not marked as killed: %s", first_line(error))
                    return

    def _next(self) -> str | None:
        """Return the run to be looked at, when its time has come; None when there is nothing more to do."""
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                if self._due:
                    spec_hash = min(self._due, key=self._due.__getitem__)
                    when = max(self._due[spec_hash], self._not_before)
                    if when <= now:
                        return spec_hash
                    self._changed.wait(when - now)
                else:
                    self._changed.wait()
            return None

    def _try(self, spec_hash: str) -> None:
        """Send what there is to send of one run, and note when to look at it again."""
        ended = spec_hash in self._ended
        try:
            again = self._send(spec_hash, ended)
        except BeingSentError:
            again = OTHERS_PAUSE
        except Exception as error:  # noqa: BLE001  # whatever a journal or a server can cause must not end the thread
            if (delivery := self._open.pop(spec_hash, None)) is not None:
                delivery.close()
            if is_temporary(error):
                self._back_off(error)
                again = 0.0
            else:
                self._refuse(spec_hash, error)
                again = None
        else:
            self._succeeded()
        with self._changed:
            if spec_hash in self._ended and not ended:
                again = 0.0  # it ended meanwhile
            if again is None:
                self._due.pop(spec_hash, None)
            else:
                self._due[spec_hash] = time.monotonic() + again
            self._changed.notify_all()

    def _send(self, spec_hash: str, ended: bool) -> float | None:
        """Send one run; return after how many seconds to look at it again, None for never."""
        path = journal_path(self._home, self._study, spec_hash)
        record = read_journal(path)
        if record is None:
            return None if ended else self._live_seconds
        delivery = self._open.pop(spec_hash, None) or Delivery(self._writer, path, ask=spec_hash in self._known)
        self._open[spec_hash] = delivery
        if not ended:
            delivery.keep_up(record)
            return self._live_seconds
        anything = delivery.complete(record)
        self._open.pop(spec_hash).close()
        with self._changed:
            (self.sent if anything else self.there).add(spec_hash)
        return None

    def _succeeded(self) -> None:
        self._pause, self._not_before = FIRST_PAUSE, 0.0
        self._last_success = time.monotonic()
        self._report(None)

    def _back_off(self, error: Exception) -> None:
        pause = min(self._pause, LAST_PAUSE if self._closing else LONGEST_PAUSE)
        self._not_before = time.monotonic() + pause * self._jitter.uniform(0.5, 1.5)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._full = isinstance(error, OSError) and error.errno in FULL
        self._report(what_happened(error))

    def _refuse(self, spec_hash: str, error: Exception) -> None:
        reason = first_line(error)
        with self._changed:
            self.refused[spec_hash] = reason
        self._tell_refusal(reason)
        self._report(None)

    def _report(self, trouble: str | None) -> None:
        backlog = Backlog(len(self.waiting), trouble)
        if backlog != self._last_backlog:
            self._last_backlog = backlog
            self._tell(backlog)
