"""The curve of a run that is trained again for one more measure: kept beside until the new one is whole."""

from __future__ import annotations

import os
from pathlib import Path

from normlaw.base.files import write_whole
from normlaw.study.identity import lacking, measured_by
from normlaw.study.spec import RunSpec
from normlaw.tracking.record import JournalError, read_journal, validated_spec
from normlaw_registry import NormlawError

SUFFIX = ".earlier"


def path_beside(journal: Path) -> Path:
    """Return where the earlier curve of a run lies while the run is trained again."""
    return journal.with_suffix(SUFFIX)


def set_aside(journal: Path) -> None:
    """Copy a journal that is about to be begun anew; on disk whole, or not there at all.

    Raises:
        NormlawError: it cannot be written; nothing was changed.

    """
    try:
        write_whole(path_beside(journal), journal.read_bytes(), lasting=True)
    except OSError as error:
        raise NormlawError(
            f"{path_beside(journal)}: cannot be written: {error.strerror}; the run is stopped"
        ) from None


def drop(journal: Path) -> None:
    """Remove the earlier curve: the new one is whole."""
    path_beside(journal).unlink(missing_ok=True)


def give_back(journal: Path) -> bool:
    """Put the earlier curve back in its place, if there is one, and say whether there was.

    The journal stays the same file, so that whoever has it locked keeps it so.

    Raises:
        NormlawError: it cannot be written; the earlier curve stays beside.

    """
    beside = path_beside(journal)
    try:
        content = beside.read_bytes()
    except OSError:
        return False
    try:
        with journal.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.unlink()
    except OSError as error:
        raise NormlawError(f"{journal}: the journal cannot be written: {error.strerror}") from None
    return True


def suffices(journal: Path, spec: RunSpec) -> bool:
    """Return whether the earlier curve has all that a run measures."""
    try:
        record = read_journal(path_beside(journal))
        if record is None or record.status != "finished":
            return False
        return not lacking(measured_by(spec), measured_by(validated_spec(record, journal)))
    except JournalError:
        return False
