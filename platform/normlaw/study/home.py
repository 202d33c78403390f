"""The folder where normlaw keeps what it measures: journals, the studies begun, files of data sets."""

from __future__ import annotations

import os
from pathlib import Path

from normlaw.base.files import write_whole
from normlaw.study.study import Study, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError, NormlawError
from normlaw_registry.errors import brief, suggestion

HOME = Path(os.environ.get("NORMLAW_HOME", ".normlaw"))
"""Folder of the journals and of data sets' files."""
STUDY_FILE = "study.yaml"


def journal_folder(home: Path, study: str) -> Path:
    """Return where the journals of a study lie."""
    return home / "journal" / study


def journal_path(home: Path, study: str, spec_hash: str) -> Path:
    """Return where the journal of a run lies."""
    return journal_folder(home, study) / f"{spec_hash}.jsonl"


def keep_study(home: Path, study: Study) -> None:
    """Write a study beside its journals, so that it can be gone on with by its name alone.

    Raises:
        NormlawError: the folder cannot be written to.

    """
    folder = journal_folder(home, study.name)
    try:
        write_whole(folder / STUDY_FILE, study.to_yaml(), lasting=True)
    except OSError as error:
        raise NormlawError(
            f"{folder}: cannot be written: {error.strerror}; nothing was trained "
            "(NORMLAW_HOME chooses another folder)"
        ) from None


def begun_studies(home: Path) -> list[str]:
    """Return the names of the studies that were begun in this home."""
    return sorted(path.parent.name for path in home.glob(f"journal/*/{STUDY_FILE}"))


def begun_study(home: Path, name: str) -> Study:
    """Return a study that was begun in this home.

    Raises:
        InputError: none of that name was (names the nearest), or its file was changed to be none.

    """
    known = begun_studies(home)
    if name not in known:  # the name itself never becomes part of a path
        raise InputError(f"no study {brief(name)} was begun in {home}: {suggestion(name, known)}")
    study = parse_study(YamlSource.read(journal_folder(home, name) / STUDY_FILE))
    if study.name != name:
        raise InputError(f"{study.source.name}: is study {study.name!r}, not {name!r} as its folder says")
    return study
