"""Laws fitted while runs are trained: beside the page, one at a time, and no more than a share of the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from normlaw.analysis.figures import drawn_of
from normlaw.base.redaction import first_line
from normlaw_registry import NormlawError

if TYPE_CHECKING:
    from normlaw.analysis import Analysis

REST = 4.0
"""Times as long as a fit took until the next one of the same view begins, so that training goes on."""
LEAST_REST = 2.0
KEPT = 24
"""Fits that are remembered."""


@dataclass(frozen=True)
class Fitted:
    """What is known of the laws of a view."""

    analysis: Analysis | None = None
    """The latest one."""
    runs: int = 0
    """Finished runs that it rests on."""
    missing: str = ""
    """Why there is none, or no newer one."""
    at_work: bool = False
    version: int = 0
    """Rises with each fit."""

    @cached_property
    def figures(self) -> frozenset[str]:
        """The names of the figures that tell of the analysis: looked up once, and asked for every second."""
        return frozenset() if self.analysis is None else frozenset(d.__name__ for d in drawn_of(self.analysis))


class Fits:
    """Fits the laws of views in a thread of its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="fit")
        self._lock = threading.Lock()
        self._known: dict[Hashable, Fitted] = {}
        self._of: dict[Hashable, Hashable] = {}
        """What the latest fit of a view is of."""
        self._not_before: dict[Hashable, float] = {}
        self._clock = clock

    def fitted(self, view: Hashable, version: Hashable, runs: int, fit: Callable[[], Analysis]) -> Fitted:
        """Return what is known now, and have the laws fitted where the runs are not those of the latest fit.

        Args:
            view: what is asked for.
            version: of the runs that are finished.
            runs: how many these are.
            fit: fits the laws; raises NormlawError where it cannot.

        """
        with self._lock:
            known = self._known.get(view, Fitted())
            due = self._of.get(view) != version and self._clock() >= self._not_before.get(view, 0.0)
            if due and not any(each.at_work for each in self._known.values()):
                known = Fitted(known.analysis, known.runs, known.missing, at_work=True, version=known.version)
                self._known[view] = known
                self._of[view] = version
                self._forget()
                self._pool.submit(self._work, view, runs, fit)
            return known

    def close(self) -> None:
        """Begin no further fit; one under way is let go of."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, view: Hashable, runs: int, fit: Callable[[], Analysis]) -> None:
        begun = self._clock()
        before = self._known[view]
        try:
            after = Fitted(fit(), runs, version=before.version + 1)
        except NormlawError as error:
            after = Fitted(before.analysis, before.runs, str(error), version=before.version + 1)
        except Exception as error:  # noqa: BLE001  # a plugin's code may fail in any way: the page stays
            reason = f"{type(error).__name__}: {first_line(error)}"
            after = Fitted(before.analysis, before.runs, reason, version=before.version + 1)
        with self._lock:
            self._known[view] = after
            now = self._clock()
            self._not_before[view] = now + max(LEAST_REST, REST * (now - begun))

    def _forget(self) -> None:
        """Forget the oldest views; the lock is held."""
        for view in [view for view, known in self._known.items() if not known.at_work][:-KEPT]:
            for memory in (self._known, self._of, self._not_before):
                memory.pop(view, None)
