"""Complexity measures, one definition a file."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.complexity.spectral_complexity_kernel import SPECTRAL_COMPLEXITY_KERNEL
from normlaw_plugins.complexity.weight_norm import WEIGHT_NORM
from normlaw_registry import ComplexityMeasure, hookimpl


@hookimpl
def normlaw_complexity_measures() -> Iterable[ComplexityMeasure]:
    """Return the built-in complexity measures."""
    return (SPECTRAL_COMPLEXITY_KERNEL, WEIGHT_NORM)
