"""A zip file that is written the same each time, and read as if whoever made it meant harm.

Nothing is unpacked under a name that the file chose: members are checked against the manifest, one after the
other in pieces, and those that are needed are copied to a place of our own.
"""

from __future__ import annotations

import hashlib
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from normlaw.archiving.manifest import FORMAT, MANIFEST, VERSION, Manifest, Member, json_line, read_json
from normlaw.base.files import beside
from normlaw_registry import InputError
from normlaw_registry.errors import brief

MOST_MEMBERS = 50_000
MOST_BYTES = 16 * 2**30
"""Of all members, unpacked."""
MOST_OF_MANIFEST = 32 * 2**20
MOST_RATIO, FREE = 500, 50 * 2**20
"""How many times a member of more than so many bytes may be larger than it is packed."""
PIECE = 2**20
WHEN = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the first that zip knows."""
PACKED_ALREADY = (".parquet", ".png", ".pdf")


def is_container(path: Path) -> bool:
    """Return whether a file is one that `write_container` may have written, by its first bytes."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(30 + len(MANIFEST)).startswith(b"PK\x03\x04")
    except OSError:
        return False


def write_container(path: Path, folder: Path, study: str, normlaw: str) -> None:
    """Write a folder's files as an archive, with their manifest; the same files give the same bytes.

    Args:
        path: the archive; replaced at the end, whole.
        folder: its content.
        study: name of the study.
        normlaw: version that writes it.

    Raises:
        OSError: it cannot be written; what was there before still is.

    """
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    members = [
        Member(name=name, bytes=file.stat().st_size, sha256=_digest(file))
        for name, file in sorted(files.items())
    ]
    manifest = Manifest(format=FORMAT, version=VERSION, study=study, normlaw=normlaw, members=members)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = beside(path)
    try:
        with zipfile.ZipFile(draft, "x", allowZip64=True) as archive:
            archive.writestr(_entry(MANIFEST), json_line(manifest))
            for member in members:
                entry = _entry(member.name)
                entry.file_size = member.bytes
                with files[member.name].open("rb") as source, archive.open(entry, "w") as target:
                    while piece := source.read(PIECE):
                        target.write(piece)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_container(path: Path, wanted: Mapping[str, Path]) -> Manifest:
    """Check an archive whole and copy the members that are wanted.

    Args:
        path: the archive.
        wanted: where each member goes.

    Raises:
        InputError: it cannot be read, is none, or is not what its manifest says; says what first.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _checked(path, archive)
            manifest = _manifest(path, archive, entries)
            said = {member.name: member for member in manifest.members}
            _compare(path, said, entries, manifest)
            if lacking := next((name for name in wanted if name not in said), None):
                raise InputError(f"{path} lacks {lacking}")
            for name, member in said.items():
                _copy(path, archive, member, wanted.get(name))
    except FileNotFoundError:
        raise InputError(f"no file {path}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no archive, or is damaged: {str(error)[:200]}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    return manifest


def _manifest(path: Path, archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]) -> Manifest:
    if MANIFEST not in entries:
        raise InputError(f"{path} is no archive of normlaw's: it has no {MANIFEST}")
    if entries[MANIFEST].file_size > MOST_OF_MANIFEST:
        raise InputError(f"{path}: {MANIFEST} is larger than {MOST_OF_MANIFEST} bytes")
    manifest = read_json(Manifest, archive.read(MANIFEST), f"{path}, {MANIFEST}")
    if manifest.version > VERSION:
        raise InputError(
            f"{path} is of version {manifest.version} and this normlaw reads {VERSION}: upgrade normlaw"
        )
    return manifest


def _checked(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, once nothing about any of them is strange."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise InputError(f"{path} has {len(infos):,} members; {MOST_MEMBERS:,} are the most")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if strange := _strange(info):
            raise InputError(f"{path}: member {brief(info.filename)} {strange}")
        if info.filename in found:
            raise InputError(f"{path}: two members are called {brief(info.filename)}")
        found[info.filename] = info
    total, packed = sum(info.file_size for info in infos), path.stat().st_size
    if total > MOST_BYTES or (total > FREE and total > MOST_RATIO * packed):
        raise InputError(f"{path} would unpack to {total:,} bytes from {packed:,}, which no archive does")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise InputError(f"{path}: member {brief(info.filename)} overlaps the one before it")
        end = info.header_offset + info.compress_size
    return found


def _strange(info: zipfile.ZipInfo) -> str:
    """Return what is wrong with a member; nothing where it is a plain file at a plain path."""
    name = info.filename
    parts = name.split("/")
    control = any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in name)
    if not name or control or "\\" in name or ":" in parts[0] or len(name) > 250:
        return "has a name that no file may have"
    if any(part in ("", ".", "..") for part in parts):
        return "has a path that leads elsewhere, or is a folder"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is no plain file but a link or the like"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is packed by method {info.compress_type}, which is not read"
    if info.file_size > FREE and info.file_size > MOST_RATIO * info.compress_size:
        return f"would unpack to {info.file_size:,} bytes from {info.compress_size:,}"
    return ""


def _compare(
    path: Path, said: Mapping[str, Member], entries: Mapping[str, zipfile.ZipInfo], manifest: Manifest
) -> None:
    if len(said) < len(manifest.members):
        raise InputError(f"{path}, {MANIFEST}: a member is named twice")
    for name in sorted(said.keys() ^ (entries.keys() - {MANIFEST})):
        where = "the manifest does not name" if name in entries else "the manifest names, but is not there"
        raise InputError(f"{path}: member {brief(name)}: {where}")
    for name, member in said.items():
        if member.bytes != entries[name].file_size:
            raise InputError(f"{path}: member {brief(name)} has another size than the manifest says")


def _copy(path: Path, archive: zipfile.ZipFile, member: Member, to: Path | None) -> None:
    """Check a member's bytes, and write them to a file if it is wanted."""
    digest, size = hashlib.sha256(), 0
    target = to.open("xb") if to is not None else None
    try:
        with archive.open(member.name) as source:
            while piece := source.read(PIECE):
                size += len(piece)
                digest.update(piece)
                if target is not None:
                    target.write(piece)
    finally:
        if target is not None:
            target.close()
    if size != member.bytes or digest.hexdigest() != member.sha256:
        raise InputError(f"{path}: member {brief(member.name)} is not what the manifest says: wrong checksum")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, WHEN)
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(PACKED_ALREADY) else zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.create_system = 3
    return entry


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
