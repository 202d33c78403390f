"""Read journals. They may come from anywhere: whatever is in one, it is read, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, Strict, StringConstraints, ValidationError
from pydantic_core import from_json

from normlaw.study.identity import (
    NewerSchemaError,
    as_first_called,
    canonical,
    hash_of,
    lacking,
    measured_by,
    of_a_component,
    require_known,
)
from normlaw.study.listed import flatten
from normlaw.study.observed import AnySpec, spec_of
from normlaw.tracking import keys
from normlaw_registry import Exactness, NormlawError

Status = Literal["finished", "failed"]

MAX_LINE = 1 << 24
"""Bytes of the longest line that is read; the longest written are a few hundred thousand."""
MAX_FILE = 1 << 30
"""Bytes of the largest journal that is read."""

MAX_STEP = 2**53
"""Above it a float64 does not tell neighbouring steps apart."""


class JournalError(NormlawError):
    """A file is no journal, or not the one that its name says."""


@dataclass
class Record:
    """What a journal holds."""

    schema: int = 1
    """Of the version that wrote it."""
    identity: dict[str, Any] = field(default_factory=dict)
    """What the run is, in canonical form; of the first schema, the specification itself."""
    spec: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    memory_format: dict[str, str] = field(default_factory=dict)
    """`used`: channels_last or contiguous; `reason`: why, where it is not what the specification asks for.

    Empty in journals that were written before this was noted."""
    points: list[dict[str, float]] = field(default_factory=list)
    point_times: list[int] = field(default_factory=list)
    """When each point was measured, milliseconds since 1970."""
    inexact: dict[str, dict[Exactness, list[int]]] | None = field(default_factory=dict)
    """Norms that are not exact: measure -> what they are instead -> at which steps. All others are exact.

    None in journals that an earlier version wrote a part of, which did not note it."""
    layers: list[dict[str, Any]] = field(default_factory=list)
    """What each layer contributes to the measures, at the first and last measuring point."""
    spectra: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    """Singular values of layers: step -> <measure>.<layer> -> the largest first."""
    started: int = 0
    ended: int = 0
    status: Status | None = None
    """None: the run did not come to its end."""
    reason: str = ""
    """Why the run failed."""
    traceback: str = ""
    """As Python shows it, where there was one."""
    worker: str = ""
    """Who trained it last: host and process, or what its cluster calls the worker; empty where not noted."""

    @property
    def spec_hash(self) -> str:
        """The run's identity, in the schema of whoever wrote it."""
        return hash_of(self.identity)

    @property
    def data_tags(self) -> dict[str, str]:
        """What the run's data set says of itself, as tags."""
        told = {keys.UNIT: self.data.get("unit", ""), keys.FINGERPRINT: self.data.get("fingerprint", "")}
        return {key: value for key, value in told.items() if value}

    def weakest(self, measure: str) -> Exactness | None:
        """Return what can be said of all values of a measure; None where it was not noted."""
        if self.inexact is None:
            return None
        return max(self.inexact.get(measure, ()), key=get_args(Exactness).index, default="exact")

    @property
    def last_time(self) -> int:
        """When the last thing in it happened, milliseconds since 1970."""
        return self.ended or (self.point_times[-1] if self.point_times else self.started)


Number = Annotated[float, Strict()]
Name = Annotated[str, StringConstraints(min_length=1, max_length=250)]


class _Line(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    time: NonNegativeInt


class _Start(_Line):
    schema_number: Annotated[int, Strict()] = Field(1, ge=1, alias="schema")
    identity: dict[str, Any] = Field(default_factory=dict)
    spec: dict[str, Any]
    environment: dict[str, Any]


class _Data(_Line):
    name: str
    digest: str
    train_size: NonNegativeInt
    test_size: NonNegativeInt
    unit: str = ""
    fingerprint: str = ""


class _MemoryFormat(_Line):
    used: Literal["channels_last", "contiguous"]
    reason: str


class _Worker(_Line):
    name: str


class _Point(_Line):
    values: dict[Name, Number]
    inexact: dict[Name, Exactness] | None = None


class _Layers(_Line):
    rows: list[dict[str, str | int | float]]


class _Spectra(_Line):
    step: NonNegativeInt
    values: dict[Name, list[Number]]


class _End(_Line):
    status: Status
    reason: str
    traceback: str = ""


def read_journal(path: Path, *, start_only: bool = False) -> Record | None:
    """Return what a journal holds; None when there is none, or not even a whole first line.

    A last line that a kill cut short was never written.

    Args:
        path: the file.
        start_only: read nothing but what run it is of.

    Raises:
        JournalError: a whole line is not one of a journal's, or a line or the file is too large.
        NewerSchemaError: a newer version wrote it.

    """
    record = Record()
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
                if len(line) > MAX_LINE or file.tell() > MAX_FILE:
                    raise ValueError("larger than any journal")
                try:
                    _take(record, line, first=number == 1)
                except ValueError:
                    if line.endswith(b"\n"):
                        raise
                if start_only:
                    break
    except NewerSchemaError as error:
        raise NewerSchemaError(str(error).replace("the file", str(path), 1)) from None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise JournalError(f"{path}:{number}: not a journal's line: {_first_problem(error)}") from None
    return record if record.spec else None


def take_lines(path: Path, lines: Iterable[bytes]) -> Record:
    """Return what some lines of a journal hold, its first before all.

    Raises:
        JournalError: one is not a journal's line.
        NewerSchemaError: a newer version wrote it.

    """
    record = Record()
    try:
        for number, line in enumerate(lines):
            _take(record, line, first=number == 0)
    except NewerSchemaError as error:
        raise NewerSchemaError(str(error).replace("the file", str(path), 1)) from None
    except ValueError as error:
        raise JournalError(f"{path}: not a journal's line: {_first_problem(error)}") from None
    return record


def journal_status(path: Path) -> Status | None:
    """Return how a run ended; None where its journal has no end, or is damaged and will be written anew.

    Raises:
        NewerSchemaError: a newer version wrote it.

    """
    try:
        record = read_journal(path)
    except JournalError:
        return None
    return record.status if record is not None else None


def is_done(path: Path, spec: AnySpec) -> bool:
    """Return whether a journal has a run's end and all that it measures. Raises as `journal_status`."""
    try:
        record = read_journal(path)
        if record is None or record.status != "finished":
            return False
        return not lacking(measured_by(spec), measured_by(validated_spec(record, path)))
    except JournalError:
        return False


def validated_spec(record: Record, path: Path) -> AnySpec:
    """Return the specification in a journal.

    Raises:
        JournalError: it is none, or not the one that the file's name says.

    """
    if record.spec_hash != path.stem:
        raise JournalError(f"{path}: holds another run than its name says; it was changed, or renamed")
    try:
        spec = spec_of(record.spec)
    except ValidationError as error:
        raise JournalError(f"{path}: its specification is none: {_first_problem(error)}") from None
    if record.schema > 1 and not _says(record.identity, spec):
        raise JournalError(f"{path}: its specification is that of another run; it was changed")
    return spec


def _says(identity: dict[str, Any], spec: AnySpec) -> bool:
    """Return whether a canonical form is that of a specification, as far as no component has a say."""
    said, whole = flatten(identity), as_first_called(flatten(spec.model_dump(mode="json")))
    own = {key: value for key, value in flatten(canonical(spec)).items() if not of_a_component(key)}
    return own == {key: value for key, value in said.items() if not of_a_component(key)} and all(
        key.startswith("measures.") or key not in whole or whole[key] == value for key, value in said.items()
    )


def _take(record: Record, line: bytes, *, first: bool) -> None:
    """Add one line to the record. Raises ValueError where it does not fit; pydantic's errors are such."""
    entry = from_json(line, allow_inf_nan=False)
    if not isinstance(entry, dict) or (entry.get("kind") == "start") != first:
        raise ValueError("a journal begins with its only `start`")
    match entry.get("kind"):
        case "start":
            if isinstance(entry.get("schema"), int):
                require_known(entry["schema"], "the file")
            start = _Start.model_validate(entry)
            record.schema, record.identity = start.schema_number, start.identity or start.spec
            record.spec, record.environment, record.started = start.spec, start.environment, start.time
        case "end":
            end = _End.model_validate(entry)
            record.status, record.reason, record.ended = end.status, end.reason, end.time
            record.traceback = end.traceback
        case kind:
            _take_measured(record, kind, entry)


def _take_measured(record: Record, kind: object, entry: dict[str, Any]) -> None:
    """Add a line between the first and the last; what a later version writes besides is left out."""
    match kind:
        case "data":
            record.data = _Data.model_validate(entry).model_dump(exclude={"time"}, exclude_defaults=True)
        case "memory_format":
            record.memory_format = _MemoryFormat.model_validate(entry).model_dump(exclude={"time"})
        case "worker":
            record.worker = _Worker.model_validate(entry).name
        case "point":
            _take_point(record, _Point.model_validate(entry))
        case "layers":
            record.layers += _Layers.model_validate(entry).rows
        case "spectra":
            spectra = _Spectra.model_validate(entry)
            record.spectra[spectra.step] = spectra.values


def _take_point(record: Record, point: _Point) -> None:
    if not (step := point.values.get("step", -1.0)).is_integer() or not 0 <= step <= MAX_STEP:
        raise ValueError("a point without its step")
    if record.points and step <= record.points[-1]["step"]:
        raise ValueError(f"step {step:g} comes after step {record.points[-1]['step']:g}")
    record.points.append(point.values)
    record.point_times.append(point.time)
    if point.inexact is None:
        record.inexact = None
    for measure, exactness in (point.inexact or {}).items():
        if record.inexact is not None:
            record.inexact.setdefault(measure, {}).setdefault(exactness, []).append(int(step))


def _first_problem(error: ValueError) -> str:
    return next(_problems(error))[:200]


def _problems(error: ValueError) -> Iterator[str]:
    if isinstance(error, ValidationError):
        for problem in error.errors(include_url=False, include_input=False):
            yield f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    yield str(error)
