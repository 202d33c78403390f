"""The curves of a study as far as they are measured: finished ones from MLflow, all others from journals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from pydantic import ValidationError

from normlaw.following.journals import Seen
from normlaw.study.identity import measured_by
from normlaw.study.listed import listing
from normlaw.study.observed import spec_of
from normlaw.tracking.record import JournalError, Record, read_journal
from normlaw.tracking.study_run import StudyRun, finished
from normlaw_registry.errors import NormlawError

if TYPE_CHECKING:
    from normlaw.tracking.store import StudyStore


@dataclass(frozen=True)
class Curves:
    """What is measured of a study."""

    runs: tuple[StudyRun, ...]
    """Those that have a curve; of a run that MLflow does not have, `run_id` is empty."""
    points: pd.DataFrame
    """A row a measuring point; columns as `normlaw.curves` has them, before any setting."""


class CurveCache:
    """Reads each finished curve once, and each journal again when it has grown."""

    def __init__(self) -> None:
        self._stored: dict[str, pd.DataFrame] = {}
        """By MLflow's id of the run."""
        self._journals: dict[str, tuple[object, StudyRun, pd.DataFrame]] = {}
        self._last: tuple[object, Curves] | None = None

    def curves(
        self, at_server: Iterable[StudyRun], journals: Mapping[str, Seen], store: StudyStore | None
    ) -> Curves:
        """Return the curves of all runs that have any.

        Args:
            at_server: the runs that MLflow has.
            journals: those of this home.
            store: where the finished curves are read.

        """
        done = finished(at_server)
        there = {run.spec_hash for run in done}
        here = {name: seen for name, seen in journals.items() if name not in there and not seen.glimpse.damage}
        version = (tuple(run.run_id for run in done), tuple((n, _stamp(seen)) for n, seen in here.items()))
        if self._last is not None and self._last[0] == version:
            return self._last[1]
        missing = [run for run in done if run.run_id not in self._stored]
        if missing and store is not None:
            read = store.curves(missing)
            by_hash = dict(list(read.groupby("run", sort=False)))
            for run in missing:
                self._stored[run.run_id] = by_hash.get(run.spec_hash, read.iloc[:0])
        found = [(run, self._stored[run.run_id]) for run in done if run.run_id in self._stored]
        for name, seen in here.items():
            if (read_run := self._of_journal(name, seen)) is not None:
                found.append(read_run)
        frames = [frame for _, frame in found if len(frame)]
        points = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
        curves = Curves(tuple(run for run, frame in found if len(frame)), points)
        self._last = (version, curves)
        return curves

    def _of_journal(self, name: str, seen: Seen) -> tuple[StudyRun, pd.DataFrame] | None:
        stamp = _stamp(seen)
        known = self._journals.get(name)
        if known is not None and known[0] == stamp:
            return known[1], known[2]
        try:
            record = read_journal(seen.path)
            read = None if record is None else _as_run(name, seen, record)
        except (JournalError, NormlawError, ValidationError):  # the account of progress tells it
            return None
        if read is None:
            return None
        self._journals[name] = (stamp, *read)
        return read


def _stamp(seen: Seen) -> object:
    return seen.glimpse.points, seen.glimpse.record.status, seen.glimpse.record.last_time


def _as_run(name: str, seen: Seen, record: Record) -> tuple[StudyRun, pd.DataFrame]:
    """Return a journal's run as MLflow would have it, and its points."""
    spec = spec_of(record.spec)
    status = {"finished": "FINISHED", "failed": "FAILED"}.get(
        str(record.status), "RUNNING" if seen.held else "KILLED"
    )
    run = StudyRun(
        run_id="",
        spec_hash=name,
        name=spec.run_name,
        kind="training",
        status=status,
        start_time=record.started,
        params=listing(spec),
        metrics={},
        measures=measured_by(spec),
        exactness={},
        setting=None,
        norm="",
        artifacts="",
        tags=record.data_tags,
    )
    points = pd.DataFrame(record.points)
    if len(points):
        points = points.assign(run=name, train_size=spec.train_size, seed=spec.seed)
    return run, points
