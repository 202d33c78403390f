"""What may be shown of a text that others wrote: no password or token, and nothing that steers a terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
SHORTEST = 6
"""A secret of fewer characters is not looked for in texts: it would be found in every other word."""

_WORDS = "pass|pwd|secret|token|credential|signature"
_NAMES = re.compile(r"(PASSWORD|PASSWD|TOKEN|SECRET|API_?KEY|ACCESS_KEY)$", re.IGNORECASE)
_USER = re.compile(r"(?<=://)([^/@:\s'\"]*):[^\s'\"]*@")
_QUERY = re.compile(rf"([?&;]\s*[^=&;\s]*(?:{_WORDS}|sig|key)[^=&;\s]*=)[^&;\s'\")]+", re.IGNORECASE)
_HEADER = re.compile(r"\b(bearer|basic) +[\w.~+/=-]{8,}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def redacted(text: str) -> str:
    """Return a text without the secrets in it: passwords and tokens of URIs, and those in the environment.

    >>> redacted("postgresql+psycopg://ada:secret@host/db")
    'postgresql+psycopg://ada:***@host/db'
    >>> redacted("https://host/path?region=eu&api_token=abc")
    'https://host/path?region=eu&api_token=***'
    """
    # looked up for long texts alone: it takes longer than all the rest
    return _without(_of_environment() if len(text) >= SHORTEST else (), text)


def _without(secrets: Sequence[str], text: str) -> str:
    for secret in secrets if len(text) >= SHORTEST else ():
        text = text.replace(secret, HIDDEN)
    text = _USER.sub(rf"\1:{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    return _HEADER.sub(rf"\1 {HIDDEN}", text)


def redacted_tree(tree: Any) -> Any:
    """Return nested mappings and lists with every text in them redacted."""
    return _tree_without(_of_environment(), tree)  # looked up once: it takes longer than a text does


def _tree_without(secrets: Sequence[str], tree: Any) -> Any:
    if isinstance(tree, str):
        return _without(secrets, tree)
    if isinstance(tree, Mapping):
        return {_without(secrets, str(key)): _tree_without(secrets, value) for key, value in tree.items()}
    return [_tree_without(secrets, value) for value in tree] if isinstance(tree, list | tuple) else tree


def printable(text: str) -> str:
    """Return a redacted text without characters that steer a terminal; line feeds and tabs stay.

    >>> printable("a\\x1b[31mb")
    'a[31mb'
    """
    return _CONTROL.sub("", redacted(text))


def first_line(error: BaseException) -> str:
    """Return what one line can say of an error."""
    lines = printable(str(error)).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _of_environment() -> Sequence[str]:
    return _secrets(tuple(os.environ.items()))


@lru_cache(maxsize=1)
def _secrets(environment: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the secrets that an environment holds, as they stand there and percent-encoded; longest first."""
    found: set[str] = set()
    for name, value in environment:
        if "://" in value:
            found |= _passwords(value)
        elif _NAMES.search(name):
            found.add(value)
    found |= {form(secret) for secret in found for form in (quote, quote_plus, unquote)}
    return sorted((s for s in found if len(s) >= SHORTEST), key=len, reverse=True)


def _passwords(uri: str) -> set[str]:
    return {match[0].partition(":")[2][:-1] for match in _USER.finditer(uri)}
