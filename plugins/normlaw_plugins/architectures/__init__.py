"""Networks."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_registry import Architecture, hookimpl


@hookimpl
def normlaw_architectures() -> Iterable[Architecture]:
    """Return the built-in architectures."""
    return ()
