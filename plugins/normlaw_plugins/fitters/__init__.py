"""Fitters."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_registry import Fitter, hookimpl


@hookimpl
def normlaw_fitters() -> Iterable[Fitter]:
    """Return the built-in fitters."""
    return ()
