"""Find what journals hold and MLflow does not, of whichever process, living or dead."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run

from normlaw.base.redaction import printable
from normlaw.study.home import journal_folder
from normlaw.study.identity import SCHEMA, Measures, NewerSchemaError, lacking, measured_by
from normlaw.study.spec import RunSpec
from normlaw.tracking import keys
from normlaw.tracking.journal import is_being_written
from normlaw.tracking.reader import search_runs
from normlaw.tracking.record import JournalError, Record, Status, read_journal, validated_spec
from normlaw.tracking.same import measured_in, schema_of

ENDED: Mapping[Status | None, str] = {"finished": "FINISHED", "failed": "FAILED", None: "KILLED"}
"""The status at MLflow of a run whose journal nobody writes any more."""


@dataclass(frozen=True)
class AtServer:
    """The training runs that MLflow has of a study."""

    runs: dict[str, list[Run]]
    """By the hash of their specification."""

    @classmethod
    def of(cls, client: MlflowClient, experiment: Experiment) -> AtServer:
        """Ask the server."""
        runs: defaultdict[str, list[Run]] = defaultdict(list)
        for run in search_runs(client, experiment, "training"):
            runs[run.data.tags.get(keys.SPEC_HASH, "")].append(run)
        return cls(dict(runs))

    @property
    def known(self) -> frozenset[str]:
        """Hashes of all runs that it has something of."""
        return frozenset(self.runs)

    @property
    def finished(self) -> set[str]:
        """Hashes of the finished runs."""
        return self.with_status("FINISHED")

    @property
    def running(self) -> set[str]:
        """Hashes of the runs that nobody has ended yet, or that were killed before they could be."""
        return self.with_status("RUNNING")

    def with_status(self, status: str) -> set[str]:
        """Return the hashes of the runs with a status."""
        return {h for h, runs in self.runs.items() if any(run.info.status == status for run in runs)}

    @property
    def mixed(self) -> bool:
        """Whether an earlier version, whose runs go by other hashes, has sent some of the runs."""
        return any(schema_of(run) < SCHEMA for runs in self.runs.values() for run in runs)

    def covers(self, spec_hash: str, measures: Measures) -> bool:
        """Return whether a run is finished there, with all these measures."""
        return any(
            run.info.status == "FINISHED" and not lacking(measures, measured_in(run))
            for run in self.runs.get(spec_hash, [])
        )

    def has(self, record: Record) -> bool:
        """Return whether a journal is there as it is: the same attempt, ended the same."""
        status = ENDED[record.status]
        return any(
            run.info.status == status and run.info.end_time == record.last_time
            for run in self.runs.get(record.spec_hash, [])
        )


@dataclass
class Leftovers:
    """What the journals of a study say against what MLflow has."""

    unsent: set[str] = field(default_factory=set)
    """Hashes of the runs whose journals hold something that MLflow does not."""
    there: set[str] = field(default_factory=set)
    """Hashes of the runs that MLflow has whole."""
    in_training: set[str] = field(default_factory=set)
    """Hashes of the runs that some process is training."""
    damaged: dict[str, str] = field(default_factory=dict)
    """File -> why it cannot be sent."""


def look_for_leftovers(
    home: Path, study: str, server: AtServer, among: Collection[str] | None = None
) -> Leftovers:
    """Compare the journals of a study with what the server has of it.

    Args:
        home: folder of the journals.
        study: the study's name.
        server: what the server has.
        among: hashes of the runs to look at; by default all that have a journal.

    """
    found = Leftovers()
    for path in sorted(journal_folder(home, study).glob("*.jsonl")):
        spec_hash = path.stem
        if among is not None and spec_hash not in among:
            continue
        if not re.fullmatch("[0-9a-f]{16}", spec_hash):
            found.damaged[path.name] = "not the name of a journal"
        elif is_being_written(path):
            found.in_training.add(spec_hash)
        else:
            try:
                if (there := _is_there(path, server)) is not None:
                    (found.there if there else found.unsent).add(spec_hash)
            except (JournalError, NewerSchemaError) as error:
                found.damaged[path.name] = printable(str(error))
    return found


def _is_there(path: Path, server: AtServer) -> bool | None:
    """Return whether the server has all that a journal has; None where that is nothing."""
    start = read_journal(path, start_only=True)
    if start is None:
        return None
    measures = measured_by(spec := validated_spec(start, path))
    names = {path.stem, spec.spec_hash}  # an earlier version's may have been trained again since
    shown = {name for name in names if any(run.info.status == "RUNNING" for run in server.runs.get(name, []))}
    if isinstance(spec, RunSpec) and any(server.covers(name, measures) for name in names - shown):
        return True
    record = read_journal(path)
    if record is not None and record.status == "finished" and (isinstance(spec, RunSpec) or shown):
        return False
    return record is None or server.has(record)  # an observed run may have been gone on with at its end
