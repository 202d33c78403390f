"""Callbacks, one idea a file."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.callbacks.path_length import PATH_LENGTH
from normlaw_plugins.callbacks.telescoping import TELESCOPING
from normlaw_registry import Callback, hookimpl


@hookimpl
def normlaw_callbacks() -> Iterable[Callback]:
    """Return the built-in callbacks."""
    return (PATH_LENGTH, TELESCOPING)
