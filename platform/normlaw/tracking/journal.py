"""The journal: each measurement is on local disk, fsynced, before anything is sent anywhere.

One file of JSON lines a run: a `start` with the specification, a `data` line, a `worker` and a
`memory_format` whenever training begins or goes on, a `point` per measurement, with its `spectra` before it,
`layers` for the first and the last, and an `end`. A file that a kill cut short keeps every complete line.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from normlaw.base.files import is_held, try_lock
from normlaw.study.identity import SCHEMA, canonical
from normlaw.study.observed import AnySpec, spec_of
from normlaw.study.spec import RunSpec
from normlaw.tracking.record import Status
from normlaw_registry import Exactness, InputError, NormlawError, load_catalogue


class JournalInUseError(NormlawError):
    """Another process is training this run."""


class Journal:
    """A run's journal being written: `start` it anew, or `go_on_after` a step that it has.

    The file is locked while it is open, so that no two processes train the same run; the system frees the
    lock when the process ends, however it ends.

    Raises:
        JournalInUseError: another process is writing it.
        NormlawError: the folder cannot be written to, or the disk is full.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)  # unbuffered: closing has nothing left to write
        except OSError as error:
            raise self._failure(error) from None
        self._syncing: Future[None] | None = None
        self._beside: ThreadPoolExecutor | None = None
        if not try_lock(self._file):
            self._file.close()
            raise JournalInUseError(f"{path}: another process is training this run; let it finish, or stop it")

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._beside is not None:
            self._beside.shutdown()
        self._file.close()

    def start(self, spec: AnySpec, environment: dict[str, Any]) -> None:
        """Write what the run is, in place of what an earlier attempt wrote."""
        if self._file.tell():  # a device file, which tests write to, cannot be truncated
            self._file.truncate(0)
        what = {"schema": SCHEMA, "identity": canonical(spec), "spec": spec.model_dump(mode="json")}
        self._append("start", {**what, "environment": environment})

    def go_on_after(self, step: int, spec: AnySpec) -> bool:
        """Cut the journal back to what it held when `step` was measured.

        Returns:
            False, and the journal is as it was, when it is that of another specification or lacks the step.

        """
        length = 0
        found = False
        for line in self.path.read_bytes().splitlines(keepends=True):
            try:
                entry = json.loads(line) if line.endswith(b"\n") else {}
            except ValueError:
                break
            kind = entry.get("kind")
            if length == 0 and (kind != "start" or not _is(entry["spec"], spec)):
                break
            if found and not (kind == "layers" and step == 0):  # the other layers are those of the end
                break
            length += len(line)
            found = found or (kind == "point" and entry["values"]["step"] == step)
        if found:
            self._file.truncate(length)
        return found

    def leave(self, trunk: Path, of: AnySpec, step: int, spec: AnySpec, environment: dict[str, Any]) -> bool:
        """Begin an arm's journal with what its trunk has up to the step where the arm leaves it.

        Args:
            trunk: the trunk's journal.
            of: what the trunk is.
            step: where the arm leaves it.
            spec: what the arm is.
            environment: of the launch that trains it.

        Returns:
            False, and nothing is written, when the trunk's journal is another one's or lacks the step.

        """
        lines = trunk.read_bytes().splitlines(keepends=True) if trunk.exists() else []
        shared: list[bytes] = []
        found = False
        for number, line in enumerate(lines):
            try:
                entry = json.loads(line) if line.endswith(b"\n") else {}
            except ValueError:
                break
            kind = entry.get("kind")
            if number == 0 and (kind != "start" or not _is(entry["spec"], of)):
                break
            if found and not (kind == "layers" and step == 0):  # as in `go_on_after`
                break
            if kind in ("data", "memory_format", "spectra", "point", "layers"):
                shared.append(line)
            found = found or (kind == "point" and entry["values"]["step"] == step)
        if found:
            self.start(spec, environment)
            self._write(b"".join(shared))
        return found

    def data(
        self,
        name: str,
        digest: str,
        train_size: int,
        test_size: int,
        noted: Mapping[str, str] | None = None,
    ) -> None:
        """Write what the run trains on.

        Args:
            name: of the data set.
            digest: of the training examples.
            train_size: how many there are.
            test_size: how many test examples there are.
            noted: `unit`, what train_size counts, and `fingerprint`, which files were read.

        """
        sizes = {"train_size": train_size, "test_size": test_size}
        self._append("data", {"name": name, "digest": digest, **sizes, **(noted or {})})

    def worker(self, name: str) -> None:
        """Write who trains the run from here on."""
        self._append("worker", {"name": name})

    def memory_format(self, used: str, reason: str) -> None:
        """Write how the network is laid out from here on, and why, where it is not as asked for."""
        self._append("memory_format", {"used": used, "reason": reason})

    def point(
        self,
        values: dict[str, float],
        inexact: Mapping[str, Exactness] | None = None,
        *,
        wait: bool = True,
    ) -> None:
        """Write one measurement, and of the norms in it that are not exact what they are.

        Args:
            values: the measurement.
            inexact: what norms that are not exact are instead.
            wait: until it is on the disk. Else the next line waits, or `settle`: a disk takes milliseconds, in
                which a small network is trained on to its next measuring point.

        """
        self._append("point", {"values": values, "inexact": dict(inexact or {})}, wait=wait)

    def spectra(self, step: int, values: Mapping[str, Sequence[float]]) -> None:
        """Write the layers' singular values at the step whose point comes next."""
        self._append("spectra", {"step": step, "values": {name: list(some) for name, some in values.items()}})

    def layers(self, rows: list[dict[str, str | int | float]]) -> None:
        """Write what each layer contributes to the measures at one step."""
        self._append("layers", {"rows": rows})

    def end(self, status: Status, reason: str = "", traceback: str = "") -> None:
        """Write that the run came to its end, and why it failed."""
        where = {"traceback": traceback} if traceback else {}
        self._append("end", {"status": status, "reason": reason, **where})

    def mend(self) -> bool:
        """Cut off a line that a kill has left half written; return whether there are whole ones."""
        content = self.path.read_bytes()
        length = content.rfind(b"\n") + 1
        if length < len(content):
            self._file.truncate(length)
        return length > 0

    def settle(self) -> None:
        """Wait until all that was written is on the disk."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            try:
                syncing.result()
            except OSError as error:
                raise self._failure(error) from None

    def _append(self, kind: str, content: dict[str, Any], *, wait: bool = True) -> None:
        line = json.dumps({"kind": kind, "time": int(time.time() * 1000), **content}, allow_nan=False)
        self._write(f"{line}\n".encode(), wait=wait)

    def _write(self, rest: bytes, *, wait: bool = True) -> None:
        self.settle()
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            if wait:
                os.fsync(self._file.fileno())
                return
        except OSError as error:
            raise self._failure(error) from None
        if self._beside is None:
            self._beside = ThreadPoolExecutor(1, "journal")
        self._syncing = self._beside.submit(os.fsync, self._file.fileno())

    def _failure(self, error: OSError) -> NormlawError:
        return NormlawError(f"{self.path}: the journal cannot be written: {error.strerror}; the run is stopped")


def _is(tree: dict[str, Any], spec: AnySpec) -> bool:
    """Return whether a specification that was written out, by this version or an earlier one, is this one."""
    try:
        found = spec_of(tree)
        if found == spec or not isinstance(found, RunSpec):
            return found == spec
        whole = found.resolved(load_catalogue())  # an earlier version had fewer parameters to write out
    except (ValidationError, InputError):
        return False
    return isinstance(spec, RunSpec) and whole.model_copy(update={"arm": spec.arm}) == spec


def is_being_written(path: Path) -> bool:
    """Return whether a process has this journal open for writing."""
    return is_held(path) is True
