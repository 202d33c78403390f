"""What a study says about its analysis, and parameters as a command line has them; imports nothing heavy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from normlaw.study.pairs import pairs, values


@dataclass(frozen=True, kw_only=True)
class OwnChoices:
    """What a study says about its analysis, under `analysis`; None where it says nothing."""

    protocol: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    """Of the protocol."""
    response: str | None = None
    floor: float | None = None
    from_norm: float | None = None
    from_train_size: int | None = None
    collapse: str | None = None
    collapse_over: str | None = None


def parse_settings(settings: Iterable[str], what: str) -> dict[str, Any]:
    """Return parameters written as KEY=VALUE, values in the syntax of study files (YAML).

    >>> parse_settings(["draws=200", "window=[none, 0.3]"], "--set")
    {'draws': 200, 'window': ['none', 0.3]}

    Args:
        settings: the texts.
        what: where they stand, for the message.

    Raises:
        InputError: a text is not of that form, a value is no YAML, or a key is given twice.

    """
    return values(pairs(settings, what, "draws=200", is_name=str.isidentifier), what)


def parse_fitter(text: str) -> tuple[str, dict[str, Any]]:
    """Return a fitter's name and parameters, written NAME or NAME:KEY=VALUE,KEY=VALUE.

    >>> parse_fitter("my_line:threshold=1.5,sizes=[100,200]")
    ('my_line', {'threshold': 1.5, 'sizes': [100, 200]})
    """
    name, colon, settings = text.partition(":")
    if not colon:
        return name, {}
    parts = re.split(r",(?=\s*[A-Za-z_][A-Za-z0-9_]*=)", settings)
    return name, parse_settings(parts, f"--fitter {name}:")


def written(params: Mapping[str, Any]) -> list[str]:
    """Return parameters as KEY=VALUE, such that `parse_settings` reads them back."""
    return [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in params.items()]


def written_fitter(name: str, params: Mapping[str, Any]) -> str:
    """Return a fitter with its parameters, such that `parse_fitter` reads it back."""
    return f"{name}:{','.join(written(params))}" if params else name
