"""The files of a folder of text: which they are, which of them are for the test, and what they hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path

from normlaw_registry import InputError


@dataclass(frozen=True)
class Text:
    """What a folder holds: the files of each part in the order of their names, and a digest of all."""

    train: Sequence[bytes]
    test: Sequence[bytes]
    digest: str
    """SHA-256 (16 digits) of the names and contents of all files."""


def read_text(folder: Path, patterns: Sequence[str], without: Sequence[str], test_fraction: float) -> Text:
    """Return the files of a folder, of which about `test_fraction` are for the test.

    A file's part is told by its name within the folder alone, so that it stays when others come and go.

    Args:
        folder: searched with the folders in it; links to folders are not followed.
        patterns: of names of files, as a shell has them.
        without: patterns of names of folders that are left out.
        test_fraction: in (0, 1). Each part has at least one file.

    Raises:
        InputError: there is no such folder, or it has not two such files.
        OSError: a file cannot be read.

    """
    if not folder.is_dir():
        raise InputError(f"dataset 'text_folder': {folder} is no folder; `path` names one of text files")
    names = sorted(_names(folder, patterns, without))
    if len(names) < 2:
        count = "one file" if names else "no file"
        raise InputError(
            f"dataset 'text_folder': {folder} holds {count} named {' or '.join(patterns)} outside folders "
            f"named {', '.join(without) or '(none)'}, and train and test want one each: change `files` or "
            "`without`, or split the file"
        )
    digests = {name: sha256(name.encode(errors="surrogateescape")).digest() for name in names}
    shares = {name: int.from_bytes(digest[:8]) / 2**64 for name, digest in digests.items()}
    by_share = sorted(names, key=lambda name: shares[name])
    chosen = {name for name in by_share[:-1] if shares[name] < test_fraction} | {by_share[0]}
    contents = {name: (folder / name).read_bytes() for name in names}
    whole = sha256()
    for name, content in contents.items():
        whole.update(digests[name] + sha256(content).digest())
    return Text(
        train=[content for name, content in contents.items() if name not in chosen],
        test=[content for name, content in contents.items() if name in chosen],
        digest=whole.hexdigest()[:16],
    )


def _names(folder: Path, patterns: Sequence[str], without: Sequence[str]) -> Iterable[str]:
    """Yield the files' names within the folder, with / between folders."""

    def fits(name: str, some: Sequence[str]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in some)

    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not fits(name, without)]
        for name in files:
            path = Path(place, name)
            if fits(name, patterns) and path.is_file():
                yield path.relative_to(folder).as_posix()
