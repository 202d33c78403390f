"""What an archive says of itself: the checksum of every member, and the runs and the study that it holds."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from normlaw.analysis.ranges import LARGEST
from normlaw_registry import InputError
from normlaw_registry.errors import brief

FORMAT: Literal["normlaw archive"] = "normlaw archive"
VERSION = 1
MANIFEST, STUDY, RUNS, CURVES = "manifest.json", "study.json", "runs.jsonl", "curves.parquet"
FINDINGS = "findings"
"""Folder of the latest analyses."""

LAYER = {"step": int, "measure": str, "layer": str, "depth": int}
"""What a layer's row holds at least."""

Name = Annotated[str, Field(min_length=1, max_length=250)]
Text = Annotated[str, Field(max_length=6000)]
"""What MLflow takes as a parameter."""
Hash = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Metric = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Member(_Part):
    """A file in the archive."""

    name: Name
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(_Part):
    """The archive's account of itself."""

    format: Literal["normlaw archive"]
    version: Annotated[int, Field(ge=1)]
    study: Name
    normlaw: Name
    """Version that wrote it."""
    members: list[Member]


class ArchivedStudy(_Part):
    """The study."""

    name: Name
    tags: dict[Name, Text]
    """Those of the experiment at MLflow that belong to the study."""


class ArchivedRun(_Part):
    """A finished run."""

    run: Hash
    kind: Literal["training", "imported", "theory"]
    name: Name
    start_time: Annotated[int, Field(ge=0, le=LARGEST)]
    params: dict[Name, Text]
    tags: dict[Name, Text]
    metrics: dict[Name, Metric]
    """The last value of each."""
    points: Annotated[int, Field(ge=0, le=LARGEST)]
    """Rows of the curves that are its own: the first run has the first ones."""
    description: dict[str, Any] | None
    """Specification, versions and layers of a training run."""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if not self.params.get("train_size", "").isascii() or not self.params.get("train_size", "").isdigit():
            raise ValueError("params.train_size must be a whole number")
        if self.kind == "theory" and "theory" not in self.params:
            raise ValueError("params of a theory's run must have theory")
        if not _is_number(self.params.get("alpha", "1")):
            raise ValueError("params.alpha must be a number")
        for row in self._layers():
            if not isinstance(row, dict) or not LAYER.items() <= {k: type(v) for k, v in row.items()}.items():
                raise ValueError(f"description.layers: each must have {', '.join(LAYER)}")
            if any(isinstance(value, dict | list) for value in row.values()):
                raise ValueError("description.layers: each must hold numbers and texts")
        return self

    def _layers(self) -> list[Any]:
        found = (self.description or {}).get("layers") or []
        if not isinstance(found, list):
            raise ValueError("description.layers must be a list")
        return found


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


Model = TypeVar("Model", bound=BaseModel)


def read_json(model: type[Model], text: bytes, where: str) -> Model:
    """Return what a text in JSON holds.

    Raises:
        InputError: it is no JSON (NaN is none either), or is not of that form; says what first.

    """
    try:
        return model.model_validate(json.loads(text, parse_constant=_refuse, parse_float=_finite))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(brief(str(part))[1:-1] for part in problem["loc"][:4])
        told = problem["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: {place + ': ' if place else ''}{told}"[:400]) from None
    except (ValueError, RecursionError) as error:
        told = "too deep" if isinstance(error, RecursionError) else str(error).splitlines()[0][:200]
        raise InputError(f"{where}: no JSON: {told}") from None


def json_line(part: BaseModel) -> str:
    """Return a part on one line, the same whenever it holds the same."""
    return json.dumps(part.model_dump(mode="json"), ensure_ascii=False, allow_nan=False) + "\n"


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _finite(text: str) -> float:
    if len(text) > 400 or not math.isfinite(number := float(text)):
        raise ValueError(f"{brief(text)} is no finite number")
    return number
