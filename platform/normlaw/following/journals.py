"""The journals of a study, looked at again and again: what has not changed is not read again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from normlaw.study.home import STUDY_FILE, journal_folder
from normlaw.tracking.glimpse import Glimpse, glimpse
from normlaw.tracking.journal import is_being_written

ENDING = ".jsonl"
WATCHED = (ENDING, ".launch", STUDY_FILE)
"""How the files are called in which anything stands."""
Stamp = tuple[int, int, int]
"""Number, length and time of the last change of a file: all the same, it is the same file."""


@dataclass(frozen=True)
class Seen:
    """A journal as it was seen."""

    path: Path
    glimpse: Glimpse
    held: bool
    """Whether a process has it open for writing."""


class JournalFolder:
    """The journals of one study.

    Args:
        home: folder of all journals.
        study: the study's name, one that was begun in the home.

    """

    def __init__(self, home: Path, study: str) -> None:
        self.path = journal_folder(home, study)
        self._read: dict[str, tuple[Stamp, Glimpse | None]] = {}

    def look(self, stamps: Mapping[str, Stamp]) -> dict[str, Seen]:
        """Return what the journals hold now, by their names, which are the hashes of the runs.

        Args:
            stamps: of the files in the folder, see `stamps`.

        """
        found: dict[str, Seen] = {}
        for name, stamp in sorted(stamps.items()):
            if not name.endswith(ENDING):
                continue
            path = self.path / name
            known = self._read.get(name)
            if known is None or known[0] != stamp:
                known = self._read[name] = (stamp, glimpse(path))
            if (seen := known[1]) is not None:
                found[path.stem] = Seen(path, seen, held=seen.unended and is_being_written(path))
        return found

    def stamps(self) -> dict[str, Stamp]:
        """Return the stamps of journals, launches and the study's file, by name; none without a folder."""
        found: dict[str, Stamp] = {}
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if entry.name.endswith(WATCHED) and not entry.name.startswith("."):
                        stat = entry.stat()
                        found[entry.name] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        except FileNotFoundError:  # the folder is not there, or a file went as it was looked at
            return found
        return found
