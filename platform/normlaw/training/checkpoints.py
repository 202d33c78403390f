"""States of runs on disk: written atomically, checked by a digest, read without executing anything."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from normlaw.base.files import write_whole
from normlaw.study.identity import SCHEMA, require_known
from normlaw.training.state import TrainingState
from normlaw_registry import NormlawError

MAGIC = b"normlaw checkpoint %d\n"
"""How a checkpoint begins, with its schema number."""
LONGEST_MAGIC = len(MAGIC % 10**9)
DIGEST_BYTES = hashlib.sha256().digest_size
KEPT = 2
"""The newest one, and the one before it should the newest turn out to be damaged."""


class Checkpoints:
    """The checkpoints of one run in a folder of their own.

    Args:
        folder: where they lie; made when the first one is written.
        identity: what they belong to: the run's spec_hash and whatever else its bits depend on. A checkpoint
            of another identity is not looked at, so that no curve is put together from two programs.
        former: the identity that an earlier version gave the run.
        same: whether a state of the former identity is what this version would have written.

    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        former: str | None = None,
        same: Callable[[TrainingState], bool] | None = None,
    ) -> None:
        self._folder = folder
        self._identity, self._former = identity, former
        self._same = same or (lambda state: True)

    def save(self, state: TrainingState) -> None:
        """Write a state; it is on disk whole, or not there at all.

        Raises:
            NormlawError: the folder cannot be written to, or the disk is full.

        """
        import torch

        buffer = io.BytesIO()
        content = {field.name: getattr(state, field.name) for field in fields(TrainingState)}
        torch.save({"identity": self._identity, **content}, buffer)
        payload = buffer.getbuffer()
        path = self._folder / f"{state.step:012d}.ckpt"
        try:
            write_whole(path, MAGIC % SCHEMA, hashlib.sha256(payload).digest(), payload, lasting=True)
            for old in self._newest_first()[KEPT:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise NormlawError(
                f"{path}: the checkpoint cannot be written: {error.strerror}; the run is stopped"
            ) from None

    def states(self) -> Iterator[TrainingState]:
        """Yield the states that are whole and belong to this run, the newest first."""
        for path in self._newest_first():
            if (state := self._read(path)) is not None:
                yield state

    def require_known(self) -> None:
        """Raise NewerSchemaError where a newer version wrote one of them."""
        for path in self._newest_first():
            with suppress(OSError), path.open("rb") as file:
                if (schema := _schema(file.read(LONGEST_MAGIC))) is not None:
                    require_known(schema, str(path))

    def clear(self) -> None:
        """Remove them all."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self._folder.glob("*.ckpt"), reverse=True)

    def _read(self, path: Path) -> TrainingState | None:
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if (schema := _schema(content)) is None or schema > SCHEMA:
            return None
        import torch  # only once there is something to load: whoever looks at schema numbers needs none of it

        magic = MAGIC % schema  # its content is the same in all schemas up to now
        start = len(magic) + DIGEST_BYTES
        payload = memoryview(content)[start:]
        if content[:start] != magic + hashlib.sha256(payload).digest():
            return None  # cut short by a kill, damaged, or something else altogether
        try:  # weights_only: tensors and plain containers, never code
            loaded = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
            identity = loaded.pop("identity")
            state = TrainingState(**loaded)
            former = identity == self._former and self._same(state)
            return state if former or identity == self._identity else None
        except Exception:  # noqa: BLE001  # the digest is right, but whoever wrote it did not write a TrainingState
            return None


def _schema(content: bytes) -> int | None:
    """Return the schema number that a checkpoint begins with; None where it is none."""
    found = re.match(MAGIC.replace(b"%d", rb"(\d{1,9})"), content)
    return int(found[1]) if found else None
