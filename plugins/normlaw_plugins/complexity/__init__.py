"""Complexity measures."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_registry import ComplexityMeasure, hookimpl


@hookimpl
def normlaw_complexity_measures() -> Iterable[ComplexityMeasure]:
    """Return the built-in complexity measures."""
    return ()
