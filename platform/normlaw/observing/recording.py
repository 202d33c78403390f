"""Where the points of an observed run go: its journal first, then MLflow, as those of normlaw's own runs."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from normlaw.base.failures import Failure
from normlaw.study.home import begun_studies, begun_study, journal_path, keep_study
from normlaw.study.identity import lacking, measured_by
from normlaw.study.observed import OBSERVED, ObservedSpec
from normlaw.study.study import Study
from normlaw.tracking.journal import Journal
from normlaw.tracking.record import Record, Status, read_journal, validated_spec
from normlaw.tracking.session import session_of
from normlaw.training.abscissas import Spectra
from normlaw.training.layer_table import Row
from normlaw_registry import Exactness, InputError

log = logging.getLogger("normlaw")


def study_in(home: Path, name: str) -> Study | None:
    """Return the study that was begun in a home; None where there is none of that name."""
    return begun_study(home, name) if name in begun_studies(home) else None


def new_study(name: str, measures: list[dict[str, Any]]) -> Study:
    """Return a study that is observed alone."""
    return Study(name=name, fixed={"trainer": OBSERVED, "measures": measures}, vary={})


class Recording:
    """An observed run in its journal, and on its way to MLflow.

    Attributes:
        points: what the journal holds, a mapping of numbers a measuring point, in the order of their steps.

    Args:
        spec: the run.
        study: its study, which is written beside the journal where it is new.
        home: folder of the journals.
        environment: what is noted of the machine and the network; `network` must stay the same.
        tracking_uri: MLflow server.
        offline: ask no server.

    Raises:
        JournalInUseError: another process observes the same run.
        InputError: the run was begun with other measures or another network, or no server answers.

    """

    def __init__(
        self,
        spec: ObservedSpec,
        study: Study,
        home: Path,
        environment: dict[str, Any],
        *,
        tracking_uri: str | None,
        offline: bool,
    ) -> None:
        self._spec, self._study, self._environment = spec, study, environment
        self._path = journal_path(home, study.name, spec.spec_hash)
        self._going_on = False
        with ExitStack() as opened:
            self._journal = opened.enter_context(Journal(self._path))
            record = read_journal(self._path)
            if record is not None:
                self._require_same(record)
            self.points: list[dict[str, float]] = [] if record is None else list(record.points)
            self.status: Status | None = None if record is None else record.status
            if study_in(home, study.name) is None:
                keep_study(home, study)
            self._session = opened.enter_context(
                session_of(study, home, tracking_uri, offline=offline, guest=True)
            )
            opened.enter_context(self._session.sending(frozenset(), lambda backlog: None, log.warning))
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Let go of the journal and of the server; a run that has no end is marked as killed there."""
        self._opened.close()

    @property
    def initial(self) -> Path:
        """Where the initial weights are kept, if a norm looks at them."""
        return self._path.with_suffix(".initial")

    def add(self, point: dict[str, float], inexact: dict[str, Exactness], spectra: Spectra) -> None:
        """Write a point, which is on disk when this returns, and have it sent."""
        self._go_on()
        if spectra:
            self._journal.spectra(int(point["step"]), spectra)
        self._journal.point(point, inexact)
        self.points.append(point)
        self._session.in_training(self._spec.spec_hash)

    def layers(self, rows: list[Row]) -> None:
        """Write what each layer contributes at the last point."""
        self._journal.layers(rows)

    def end(self, failure: Failure | None = None) -> None:
        """Write that the run has ended, and wait a little until it is sent.

        A run that was finished before, and to which nothing was added, stays as it is.
        """
        if failure is not None:
            self._go_on()
            self._journal.end("failed", failure.reason, failure.traceback)
        elif self._going_on or self.status != "finished":
            self._go_on()
            self._journal.end("finished")
        self._session.ended(self._spec.spec_hash)
        for reason in self._session.finish().values():
            log.warning(
                "%s: not sent to MLflow yet: %s; `normlaw sync %s` sends it",
                self._spec.run_name,
                reason,
                self._study.name,
            )

    def _go_on(self) -> None:
        """Make the journal ready for a further line."""
        if self._going_on:
            return
        self._going_on = True
        if not self.points or not self._journal.go_on_after(int(self.points[-1]["step"]), self._spec):
            self._journal.start(self._spec, self._environment)

    def _require_same(self, record: Record) -> None:
        begun = validated_spec(record, self._path)
        now, then = measured_by(self._spec), measured_by(begun)
        if lacking(now, then) or lacking(then, now):
            raise InputError(
                f"{self._spec.run_name}: was begun measuring {', '.join(sorted(then))}, and cannot be gone on "
                f"with measuring {', '.join(sorted(now))}: its first points would lack some. Measure the same, "
                "or tell the runs apart by `about`"
            )
        before, here = record.environment.get("network"), self._environment.get("network")
        if record.points and before != here:
            raise InputError(
                f"{self._spec.run_name}: was begun with another network, or with examples of another size "
                f"({_described(before)}, now {_described(here)}): tell the runs apart by `about`"
            )


def _described(network: Any) -> str:
    if not isinstance(network, dict):
        return "unknown"
    return f"{network.get('type')} with {network.get('linear_maps')} linear maps, {network.get('digest')}"
