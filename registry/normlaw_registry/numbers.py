"""Booleans are no numbers: YAML's `yes`, `on` and `true` are refused where a number belongs."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationInfo, field_validator


class Numbers(BaseModel):
    """Base of models whose fields of numbers, alone or in lists and mappings, take no booleans."""

    @field_validator("*", mode="before")
    @classmethod
    def _booleans_are_no_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name is not None and _is_numeric(cls, info.field_name):
            _refuse_booleans(value)
        return value


@cache
def _is_numeric(model: type[BaseModel], field: str) -> bool:
    annotation: Any = model.model_fields[field].annotation
    return _numeric(annotation)


@cache
def _numeric(annotation: Any) -> bool:
    """Return whether a field takes numbers and no booleans.

    >>> [_numeric(a) for a in (int, float | None, tuple[float, ...], dict[str, float])]
    [True, True, True, True]
    >>> [_numeric(a) for a in (bool, bool | int, str, dict[str, Any])]
    [False, False, False, False]
    """
    kinds = set(_plain_types(annotation))
    return bool(kinds & {int, float}) and bool not in kinds


def _plain_types(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, types.UnionType, tuple, list, set, frozenset, dict):
        return [kind for inner in get_args(annotation) for kind in _plain_types(inner)]
    inner = getattr(annotation, "__metadata__", None)
    if inner is not None:  # Annotated[int, ...]
        return _plain_types(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, int | float):
        return [bool if annotation is bool else int]
    if get_origin(annotation) in (Sequence, Mapping):
        return [kind for part in get_args(annotation) for kind in _plain_types(part)]
    return [annotation]


def _refuse_booleans(value: Any) -> None:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is no number")
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for part in inner:
        _refuse_booleans(part)
