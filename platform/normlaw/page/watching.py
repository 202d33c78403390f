"""A study on the page: its progress and curves, looked at no more often than anything can have changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from normlaw.following.follower import Follower, OpenStore, StoreStamp
from normlaw.following.progress import Progress
from normlaw.page.curves import CurveCache, Curves

LOOK_SECONDS = 0.25
"""A look is good for so long, however many readers ask."""


class WatchedStudy:
    """One study, for any number of readers at once.

    Args:
        home: folder of the journals.
        study: the study's name.
        open_store: returns its store at MLflow; None: not asked.
        pool: asks MLflow, so that no reader waits for it but the first.
        clock: seconds that only rise.
        stamp: by which is known that MLflow has nothing new.

    """

    def __init__(
        self,
        home: Path,
        study: str,
        open_store: OpenStore | None,
        pool: ThreadPoolExecutor,
        clock: Callable[[], float] = time.monotonic,
        *,
        stamp: StoreStamp | None = None,
    ) -> None:
        self.name = study
        self.follower = Follower(home, study, open_store, clock, analyses=True, stamp=stamp)
        self._cache = CurveCache()
        self._pool, self._clock = pool, clock
        self._lock = threading.RLock()
        self._asking = False
        self._seen: Progress | None = None
        self._curves: Curves | None = None
        self._until = 0.0

    def look(self) -> Progress:
        """Return how far the study has come, as it was a quarter of a second ago at most.

        Raises:
            InputError: there is no such study, here or at MLflow.

        """
        with self._lock:
            if self._seen is None:
                self.follower.ask()
            elif self.follower.due and not self._asking:
                self._asking = True
                self._pool.submit(self._ask)
            if self._seen is None or self._clock() >= self._until:
                seen = self.follower.look()
                if self._seen is None or seen.runs is not self._seen.runs:
                    self._curves = None
                self._seen = seen
                self._until = self._clock() + LOOK_SECONDS
            return self._seen

    def curves(self) -> Curves:
        """Return all that is measured of it."""
        with self._lock:
            self.look()
            if self._curves is None:
                self._curves = self._cache.curves(
                    self.follower.at_server, self.follower.journals, self.follower.store
                )
            return self._curves

    def _ask(self) -> None:
        try:
            self.follower.ask()
        finally:
            self._asking = False
