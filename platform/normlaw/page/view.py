"""What a reader has chosen to see: the whole of it stands in the address, so that a link keeps the view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self
from urllib.parse import urlencode

from normlaw_registry import InputError
from normlaw_registry.errors import brief

LARGEST_GAMMA = 20.0
RESPONSES = ("test_error", "test_loss")
Query = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class View:
    """The choices for one study; what is empty is the study's own."""

    study: str = ""
    setting: str = ""
    """Which of its settings: what tells their runs apart, in one line."""
    x: str = ""
    """What is across: `log_norm/<measure>`, `step` or `epoch`."""
    response: str = ""
    """test_error or test_loss."""
    protocol: str = ""
    sizes: tuple[int, ...] = ()
    """Train sizes shown; none: all."""
    seeds: tuple[int, ...] = ()
    single: bool = False
    """Whether each run is drawn."""
    gamma_1: float | None = None
    """Of the collapse, where it is moved."""
    gamma_2: float | None = None

    @classmethod
    def of(cls, query: Sequence[tuple[str, str]]) -> Self:
        """Return the view of an address.

        Raises:
            InputError: a value makes no sense; says which.

        """
        given = dict(query)
        if (response := given.get("response", "")) not in ("", *RESPONSES):
            raise InputError(f"response must be test_error or test_loss, got {brief(response)}")
        return cls(
            study=given.get("study", ""),
            setting=given.get("setting", ""),
            x=given.get("x", ""),
            response=response,
            protocol=given.get("protocol", ""),
            sizes=_numbers(query, "size"),
            seeds=_numbers(query, "seed"),
            single=given.get("single") == "1",
            gamma_1=_gamma(given, "gamma_1"),
            gamma_2=_gamma(given, "gamma_2"),
        )

    def query(self, **changes: Any) -> str:
        """Return the view, with changes, as what follows the question mark of an address."""
        view = replace(self, **changes)
        pairs: list[tuple[str, str]] = []
        for each in fields(view):
            value = getattr(view, each.name)
            if each.name in ("sizes", "seeds"):
                pairs += [(each.name.removesuffix("s"), str(number)) for number in value]
            elif value not in ("", None, False):
                pairs.append((each.name, "1" if value is True else str(value)))
        return urlencode(pairs)


def _numbers(query: Sequence[tuple[str, str]], name: str) -> tuple[int, ...]:
    found = [value for key, value in query if key == name and value]
    if not all(value.isascii() and value.isdigit() and len(value) < 20 for value in found):
        raise InputError(f"{name} must be a whole number, got {brief(', '.join(found))}")
    return tuple(sorted({int(value) for value in found}))


def _gamma(given: Query, name: str) -> float | None:
    text = given.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= LARGEST_GAMMA:
        raise InputError(f"{name} must be a number of size {LARGEST_GAMMA:g} at most, got {brief(text)}")
    return value
