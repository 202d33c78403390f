"""An archive as a study from which runs are copied, or whose curves are analysed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from normlaw.archiving.container import read_container
from normlaw.archiving.curves_table import read_curves
from normlaw.archiving.manifest import CURVES, RUNS, STUDY, ArchivedRun, ArchivedStudy, read_json
from normlaw.study.names import study_name
from normlaw.study.protocol_choice import OwnChoices
from normlaw.tracking import keys
from normlaw.tracking.analysis_log import LoggedAnalysis
from normlaw.tracking.origin import Fetched
from normlaw.tracking.same import measures_of
from normlaw.tracking.store import Group, groups_of
from normlaw.tracking.study_run import Kind, StudyRun, exactness_of
from normlaw_registry import InputError
from normlaw_registry.errors import brief

LONGEST_LINE = 16 * 2**20
"""Bytes of a run's line: its specification and layers take some thousands."""
MOST_RUNS = 1_000_000


class ArchiveOrigin:
    """A study in an archive; open one by `opened_archive`.

    Args:
        path: the archive, for messages.
        folder: its members, checked.

    Attributes:
        name: the study's.
        tags: those of its experiment.
        norm: the measure that its laws are read in, if it says so.

    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = path, folder
        found = read_json(ArchivedStudy, (folder / STUDY).read_bytes(), f"{path}, {STUDY}")
        try:
            self.name = study_name(found.name)
        except InputError as error:
            raise InputError(f"{path}, {STUDY}: {error}") from None
        if strange := found.tags.keys() - set(keys.OF_A_STUDY):
            raise InputError(f"{path}, {STUDY}: no tag of a study: {brief(min(strange))}")
        self.tags: Mapping[str, str] = found.tags
        self.norm: str | None = found.tags.get(keys.NORM)
        self._runs: list[StudyRun] = []
        self._points: list[tuple[str, int]] = []
        known: set[tuple[str, str]] = set()
        for number, line in enumerate(self._lines()):
            run = read_json(ArchivedRun, line, f"{path}, {RUNS}, line {number + 1}")
            if strange := run.tags.keys() - set(keys.LASTING):
                raise InputError(f"{path}, {RUNS}, line {number + 1}: no tag of a run: {brief(min(strange))}")
            if (run.kind, run.run) in known:
                raise InputError(f"{path}, {RUNS}, line {number + 1}: run {run.run} is there twice")
            known.add((run.kind, run.run))
            self._runs.append(_stored(run, number))
            self._points.append((run.run, run.points))

    @property
    def choices(self) -> OwnChoices | None:
        """What the study says about its analysis; None: nothing."""
        return keys.read_analysis_tag(self.tags)

    @property
    def choices_text(self) -> str | None:
        """The same as it is stored."""
        return self.tags.get(keys.ANALYSIS)

    def finished(self, *kinds: Kind, norm: str | None = None) -> list[StudyRun]:
        """Return the runs of these kinds, oldest first: an archive holds finished ones, once each."""
        return [run for kind in kinds for run in self._runs if run.kind == kind]

    def groups(self, norm: str | None) -> list[Group]:
        """Return the runs of each setting, theory's apart; see `StudyStore.groups`."""
        return groups_of(self.name, self.finished("training", "imported"), self.finished("theory"))

    def fetch(self, runs: Iterable[StudyRun]) -> Iterator[Fetched]:
        """Yield runs with their curves, in the order of the file, few at a time."""
        wanted = {int(run.run_id): run for run in runs}
        tables = read_curves(
            self._folder / CURVES, f"{self._path}, {CURVES}", self._points, wanted.__contains__
        )
        lines = enumerate(self._lines())
        for number, table in tables:
            line = next(text for at, text in lines if at == number)
            described = json.loads(line)["description"]
            text = None if described is None else json.dumps(described, indent=2).encode()
            yield Fetched(wanted[number], table, text)

    def curves(self, runs: Sequence[StudyRun]) -> pd.DataFrame:
        """Return the curves of runs below each other, a row a measuring point; see `StudyStore.curves`."""
        found = {
            fetched.run.run_id: fetched.table.append_column(
                "run", pa.array([fetched.run.spec_hash] * len(fetched.table))
            )
            for fetched in self.fetch(runs)
        }
        tables = [found[run.run_id] for run in runs]
        frame: pd.DataFrame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
        return frame

    def layers(self, run: StudyRun) -> list[dict[str, Any]]:
        """Return what each layer contributed to a trained run's measures, at both ends of its curve."""
        (fetched,) = self.fetch([run])
        rows: list[dict[str, Any]] = json.loads(fetched.description or b"{}").get("layers") or []
        return rows

    def spectra(self, run: StudyRun) -> pd.DataFrame:
        """Return no singular values, which an archive leaves out; see `StudyStore.spectra`."""
        return pd.DataFrame(columns=["measure", "layer", "step", "number", "value"])

    def specification(self, run: StudyRun) -> dict[str, Any] | None:
        """Return what a trained run is, as it was written down; None where it was not."""
        (fetched,) = self.fetch([run])
        spec: dict[str, Any] | None = json.loads(fetched.description or b"{}").get("spec")
        return spec

    def log_analysis(self, analysis: LoggedAnalysis) -> None:
        """Log nothing: an archive stays as it is."""

    def _lines(self) -> Iterator[bytes]:
        with (self._folder / RUNS).open("rb") as file:
            for number in range(MOST_RUNS):
                line = file.readline(LONGEST_LINE)
                if not line:
                    return
                if len(line) == LONGEST_LINE:
                    raise InputError(f"{self._path}, {RUNS}, line {number + 1}: longer than any run's")
                yield line
            raise InputError(f"{self._path}, {RUNS}: more than {MOST_RUNS:,} runs")


@contextmanager
def opened_archive(path: Path) -> Iterator[ArchiveOrigin]:
    """Give an archive's study, checked whole; its copy on disk is gone at the end.

    Raises:
        InputError: it cannot be read, is none, or is not what its manifest says.

    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        read_container(path, {name: folder / name for name in (STUDY, RUNS, CURVES)})
        yield ArchiveOrigin(path, folder)


def _stored(run: ArchivedRun, number: int) -> StudyRun:
    """Return a run as it would come from MLflow; its id is its number in the archive."""
    return StudyRun(
        run_id=str(number),
        spec_hash=run.run,
        name=run.name,
        kind=run.kind,
        status="FINISHED",
        start_time=run.start_time,
        params=run.params,
        metrics=run.metrics,
        measures=measures_of(run.tags, run.params),
        exactness=exactness_of(run.tags.get(keys.EXACTNESS, "")),
        setting=None,
        norm="",
        artifacts="",
        tags=run.tags,
    )
