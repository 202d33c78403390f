"""Names that were changed: what an earlier plugin calls a thing still means it, and its author is warned."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

FORMER: Mapping[str, str] = {"Outline": "DatasetInfo", "MapKind": "Operation"}
"""What `normlaw_registry` exported by another name: former name -> present one."""

T = TypeVar("T")


def tell(former: str, present: str, stacklevel: int = 3) -> None:
    """Warn whoever calls the caller that a name is a former one."""
    text = f"{former} is a former name of normlaw_registry: write {present}"
    warnings.warn(text, DeprecationWarning, stacklevel=stacklevel)


def former_names(**names: str) -> Callable[[type[T]], type[T]]:
    """Have a dataclass take and give some fields by a former name too: former name = present name."""

    def decorate(cls: type[T]) -> type[T]:
        made: Callable[..., None] = cls.__init__

        @wraps(made)
        def accepting(self: T, *args: Any, **values: Any) -> None:
            for former, present in names.items():
                if former in values:
                    tell(f"{cls.__name__}({former}=...)", f"{present}=...")
                    values[present] = values.pop(former)
            made(self, *args, **values)

        type.__setattr__(cls, "__init__", accepting)
        for former, present in names.items():
            setattr(cls, former, property(_reading(cls.__name__, former, present)))
        return cls

    return decorate


def _reading(owner: str, former: str, present: str) -> Callable[[Any], Any]:
    def read(self: Any) -> Any:
        tell(f"{owner}.{former}", present)
        return getattr(self, present)

    read.__doc__ = f"Former name of `{present}`."
    return read
