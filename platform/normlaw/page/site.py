"""All that the page knows: the studies of a home and of a server, each watched once somebody looks at it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from normlaw.following.follower import OpenStore, StoreStamp, names_here
from normlaw.following.progress import Progress
from normlaw.page.figures import Figures
from normlaw.page.fits import Fits
from normlaw.page.watching import WatchedStudy
from normlaw.tracking.study_run import StudyRun
from normlaw_registry import Catalogue, InputError
from normlaw_registry.errors import suggestion

NAMES_SECONDS = 10.0
"""How often a server is asked which studies it has."""
EXPONENTS = ("gamma_1", "gamma_2", "gamma_pred", "gamma_meas")
ORDERS = ("study", "finished", "verdict", *EXPONENTS)
"""What the list of studies can be sorted by."""


@dataclass(frozen=True)
class Line:
    """One line of the list of studies: a setting's laws, or a study without any."""

    study: str
    setting: str
    progress: Progress
    analysis: StudyRun | None

    @property
    def verdict(self) -> str:
        """What the latest analysis says."""
        return "" if self.analysis is None else self.analysis.params.get("verdict", "")

    def value(self, name: str) -> float | None:
        """Return a number of the latest analysis."""
        return None if self.analysis is None else self.analysis.metrics.get(name)


class Site:
    """What the page shows.

    Args:
        home: folder of the journals.
        open_store: returns a study's store at MLflow; None: not asked.
        names: returns the names of the studies at MLflow, and why it could not be asked.
        catalogue: where protocols come from.
        stamp: by which is known that MLflow has nothing new; None: it is asked.

    """

    def __init__(
        self,
        home: Path,
        open_store: OpenStore | None,
        names: Callable[[], tuple[list[str], str]],
        catalogue: Catalogue,
        stamp: StoreStamp | None = None,
    ) -> None:
        self.home, self.catalogue = home, catalogue
        self._stamp = stamp
        self._at_server: tuple[object | None, list[str]] = (None, [])
        """The stamp of the latest answer, and the names of the studies in it."""
        self.fits = Fits()
        self.figures = Figures(self.fits, catalogue)
        self._open, self._ask_names = open_store, names
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="ask")
        self._lock = threading.Lock()
        self._studies: dict[str, WatchedStudy] = {}
        self._names: list[str] = []
        self.note = ""
        """Why MLflow could not be asked for its studies."""
        self._names_until = 0.0

    def close(self) -> None:
        """Ask and fit nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.fits.close()

    def names(self) -> list[str]:
        """Return the names of all studies, sorted."""
        with self._lock:
            if time.monotonic() >= self._names_until:
                self._names = names_here(self.home, self._names_at_server())
                self._names_until = time.monotonic() + NAMES_SECONDS
            return self._names

    def _names_at_server(self) -> list[str]:
        """Ask MLflow for its studies, unless it is known to have no others than before; the lock is held."""
        stamp = None if self._stamp is None else self._stamp()
        if stamp is None or stamp != self._at_server[0]:
            found, self.note = self._ask_names()
            self._at_server = (stamp, found)
        return self._at_server[1]

    def study(self, name: str) -> WatchedStudy:
        """Return a study.

        Raises:
            InputError: there is none of that name; names the nearest.

        """
        known = self._studies.get(name)
        if known is None:
            names = self.names()
            if name not in names:
                raise InputError(f"no study {name!r}: {suggestion(name, names)}")
            with self._lock:
                known = self._studies.setdefault(
                    name, WatchedStudy(self.home, name, self._open, self._pool, stamp=self._stamp)
                )
        return known

    def lines(self, search: str = "", order: str = "study", *, down: bool = False) -> list[Line]:
        """Return the list of studies: those whose name, setting or verdict has all words of a search."""
        found: list[Line] = []
        for name in self.names():
            watched = self.study(name)
            progress = watched.look()
            analyses = watched.follower.analyses
            found += [
                Line(name, "" if run.setting in (None, "all") else str(run.setting), progress, run)
                for run in analyses.values()
            ] or [Line(name, "", progress, None)]
        words = search.lower().split()
        kept = [
            one for one in found if all(w in f"{one.study} {one.setting} {one.verdict}".lower() for w in words)
        ]
        return _sorted(kept, order, down=down)


def _sorted(lines: Sequence[Line], order: str, *, down: bool) -> list[Line]:
    """Return lines by a column; those that have nothing in it come last either way."""

    def key(line: Line) -> object:
        if order == "finished":
            return line.progress.counts["finished"]
        if order == "verdict":
            return line.verdict or None
        return line.value(order) if order in EXPONENTS else (line.study, line.setting)

    known = [line for line in lines if key(line) is not None]
    rest = [line for line in lines if key(line) is None]
    return sorted(known, key=key, reverse=down) + rest  # type: ignore[arg-type]
