"""Follows one study: looks at journals each time it is asked, and at MLflow as often as that is cheap."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from normlaw.base.redaction import first_line
from normlaw.following.expected import Expected, as_expected, expected_runs
from normlaw.following.journals import JournalFolder, Seen, Stamp
from normlaw.following.launches import launches_in
from normlaw.following.merging import account
from normlaw.following.progress import Progress
from normlaw.study.home import STUDY_FILE, begun_studies, begun_study
from normlaw.tracking.journal import is_being_written
from normlaw_registry import InputError, NormlawError, load_catalogue

if TYPE_CHECKING:
    from normlaw.tracking.store import StudyStore
    from normlaw.tracking.study_run import StudyRun

LEAST_SECONDS = 5.0
"""Between two questions to MLflow at least."""
TIMES_ITS_COST = 40.0
"""And so many times as long as the last answer took: no more than a fortieth of a core goes into them."""

OpenStore = Callable[[str], "StudyStore"]
StoreStamp = Callable[[], object | None]
"""Returns what is another after any change at MLflow; None where that is not known."""


class Follower:
    """One study, seen from outside.

    Args:
        home: folder of the journals.
        study: the study's name.
        open_store: returns the study's store at MLflow; raises InputError where it has none. None: not asked.
        clock: seconds that only rise.
        analyses: whether MLflow is asked for the latest analyses too.
        stamp: by which is known that MLflow has nothing new; None: it is asked.

    """

    def __init__(
        self,
        home: Path,
        study: str,
        open_store: OpenStore | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        analyses: bool = False,
        stamp: StoreStamp | None = None,
    ) -> None:
        self._stamp = stamp
        self._answered: object | None = None
        """The stamp of what MLflow told last."""
        self._with_analyses = analyses
        self.analyses: dict[str, StudyRun] = {}
        """The latest analysis of each setting at MLflow, by the study's name and the setting."""
        self.study, self._home, self._open, self._clock = study, home, open_store, clock
        self.begun = study in begun_studies(home)  # the name becomes part of a path only if it is one of these
        self.folder = JournalFolder(home, study)
        self.store: StudyStore | None = None
        """The study at MLflow, once it was asked."""
        self.at_server: list[StudyRun] = []
        """The runs that MLflow had when it was asked last."""
        self._not_before = 0.0
        self._of_file: Stamp | None = None
        self._expected: dict[str, Expected] = {}
        self._norm: str | None = None
        self._note = ""
        self.server_note = ""
        """Why MLflow could not be asked last."""
        self.journals: dict[str, Seen] = {}
        """As they were when they were looked at last."""
        self._at_work: list[Path] = []
        """Files of the launches that were at work then."""
        self._answers = 0
        """How often MLflow has told something new."""
        self._last: tuple[object, Progress] | None = None

    def follow(self) -> Progress:
        """Return how far the study has come, asking MLflow if its turn has come; see `look`."""
        if self.due:
            self.ask()
        return self.look()

    def look(self) -> Progress:
        """Return how far the study has come, by the journals of now and MLflow's latest answer.

        Where nothing has changed, what was seen before is told again.

        Raises:
            InputError: neither this home nor MLflow has such a study.

        """
        self.begun = self.begun or self.study in begun_studies(self._home)
        if not self.begun and self.store is None:
            raise InputError(self.server_note or f"no study {self.study!r} was begun in {self._home}")
        stamps = self.folder.stamps() if self.begun else {}
        now = int(time.time() * 1000)
        mark = (stamps, self._held(), self._answers, self.server_note)
        if self._last is not None and self._last[0] == mark:
            self._last = (mark, replace(self._last[1], looked=now))
            return self._last[1]
        self._plan(stamps.get(STUDY_FILE))
        self.journals = self.folder.look(stamps)
        launches = launches_in(self.folder.path) if self.begun else []
        self._at_work = [self.folder.path / f"{one.name}.launch" for one in launches if one.at_work]
        norm = self._norm or (self.store.norm if self.store is not None else None)
        progress = account(
            self.study,
            norm,
            expected=self._expected,
            journals=self.journals,
            at_server=as_expected(self.at_server, self._expected),
            launches=launches,
            now=now,
            notes=[note for note in (self._note, self.server_note) if note],
        )
        self._last = ((stamps, self._held(), self._answers, self.server_note), progress)
        return progress

    def _held(self) -> list[bool]:
        """Return which of the files that somebody may be at are held by a process: a death changes no file."""
        unended = [seen.path for seen in self.journals.values() if seen.glimpse.unended]
        return [is_being_written(path) for path in [*unended, *self._at_work]]

    def _plan(self, stamp: Stamp | None) -> None:
        """Read the study's file, if it is another than before."""
        if stamp == self._of_file:
            return
        self._of_file = stamp
        self._note = ""
        try:
            study = begun_study(self._home, self.study)
            self._norm = study.abscissa
            self._expected = expected_runs(study, load_catalogue())
        except NormlawError as error:  # a plugin is not installed here: what was begun is seen all the same
            self._note = f"which runs are still to come is not known: {first_line(error)}"

    @property
    def due(self) -> bool:
        """Whether MLflow is to be asked."""
        return self._open is not None and self._clock() >= self._not_before

    def ask(self) -> None:
        """Ask MLflow what it has; never raises, as a study of this home is seen all the same."""
        if self._open is None:
            return
        begun = self._clock()
        # Before the question: what comes later is seen later.
        stamp = None if self._stamp is None else self._stamp()
        if stamp is not None and stamp == self._answered:
            self._not_before = begun + LEAST_SECONDS
            return
        self._answered = None
        try:
            self.store = self._open(self.study)
            at_server = list(self.store.runs("training", "imported", "theory"))
            analyses = self.store.latest_analyses() if self._with_analyses else {}
            if (at_server, analyses) != (self.at_server, self.analyses):
                self.at_server, self.analyses = at_server, analyses
                self._answers += 1
            self.server_note = ""
            self._answered = stamp
        except InputError as error:
            self.server_note = first_line(error)
            self._answered = stamp
        except Exception as error:  # noqa: BLE001  # a server may fail in any way while it is followed
            self.server_note = f"MLflow: {first_line(error)}"
        took = self._clock() - begun
        self._not_before = begun + max(LEAST_SECONDS, TIMES_ITS_COST * took)


def names_here(home: Path, at_server: Sequence[str]) -> list[str]:
    """Return the names of the studies of a home and of a server, sorted."""
    return sorted({*begun_studies(home), *at_server})
