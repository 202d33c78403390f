"""How far a run has come, read off the two ends of its journal: thousands are looked at in a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from normlaw.tracking.record import MAX_FILE, Record, take_lines
from normlaw_registry import NormlawError

POINT, WORKER = (b'\n{"kind": "%s"' % kind for kind in (b"point", b"worker"))


@dataclass(frozen=True)
class Glimpse:
    """What the first lines and the last ones of a journal say."""

    record: Record
    """Without its points but the last, and without its layers."""
    points: int
    """Measurements in the journal."""
    damage: str = ""
    """Why the journal cannot be read; the record is empty then."""

    @property
    def unended(self) -> bool:
        """Whether the run has not come to its end, so that somebody may be at it."""
        return not self.damage and self.record.status is None


def glimpse(path: Path) -> Glimpse | None:
    """Return how far a run has come; None where there is no journal, or not even a whole first line.

    A journal that cannot be read is told, not raised: one of thousands must not hide the others.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            return Glimpse(Record(), 0, damage=f"{path}: larger than any journal")
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Glimpse(Record(), 0, damage=f"{path}: cannot be read: {error.strerror}")
    content = content[: content.rfind(b"\n") + 1]  # what a kill has cut short was never written
    if not content:
        return None
    try:
        record = take_lines(path, _ends(content))
    except NormlawError as error:
        return Glimpse(Record(), 0, damage=str(error))
    return Glimpse(record, content.count(POINT))


def _ends(content: bytes) -> list[bytes]:
    """Return the first line, that of the last worker, the last point and what comes behind it."""
    first = content[: content.find(b"\n") + 1]
    worker, point = content.rfind(WORKER), content.rfind(POINT)
    lines = [first]
    if 0 <= worker < point:
        lines.append(content[worker + 1 : content.find(b"\n", worker + 1) + 1])
    behind = content[point + 1 :] if point >= 0 else content[len(first) :]
    lines += [line for line in behind.splitlines(keepends=True) if not line.startswith(b'{"kind": "layers"')]
    return lines
