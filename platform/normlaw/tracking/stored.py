"""What is stored of a study's runs in journals, by this version or an earlier one; at MLflow: finished.py.

Every stored run has the specification that it was trained by. What it is, in the present form, is worked out
from that, and never from the hash that an earlier version gave it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from normlaw.study.home import journal_folder
from normlaw.study.identity import SCHEMA, Measures, measured_by
from normlaw.study.listed import listing
from normlaw.study.spec import RunSpec
from normlaw.tracking.record import JournalError, Status, read_journal


@dataclass(frozen=True)
class Stored:
    """What is stored of one run in one place."""

    name: str
    """Of its journal, or the identity that its MLflow run has."""
    status: Status | None
    measures: Measures
    listed: Mapping[str, str]
    """Its parameters, as MLflow lists them."""
    points: int = 0
    """Measuring points of a journal."""
    spec: RunSpec | None = None
    """Of a journal."""


def journals(home: Path, study: str, specs: Mapping[str, RunSpec]) -> dict[str, list[Stored]]:
    """Return what journals hold of these runs, by their hashes; those under their own name first.

    Raises:
        NewerSchemaError: a newer version wrote one of them.

    """
    found: defaultdict[str, list[Stored]] = defaultdict(list)
    for path in sorted(journal_folder(home, study).glob("*.jsonl")):
        with suppress(JournalError, ValidationError):
            start = read_journal(path, start_only=True)
            if start is None:
                continue
            if start.schema == SCHEMA and path.stem not in specs:
                continue
            spec = RunSpec.model_validate(start.spec)
            spec_hash = path.stem if start.schema == SCHEMA else spec.spec_hash
            record = read_journal(path) if spec_hash in specs else None
            if record is None:
                continue
            stored = Stored(
                path.stem, record.status, measured_by(spec), listing(spec), len(record.points), spec
            )
            found[spec_hash].insert(0 if path.stem == spec_hash else len(found[spec_hash]), stored)
    return dict(found)
