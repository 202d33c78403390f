"""What a measure gives beside its one number, under names that MLflow takes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import pairwise

from normlaw_registry.complexity import ComplexityMeasure, MeasuredValue

MAX_PART = 180
"""Characters of a part's name: MLflow takes 250 with the measure's."""


def measure_of(norm: str) -> str:
    """Return the measure that an abscissa is of: itself, or the one that it is a part of.

    >>> measure_of("weight_norm"), measure_of("spectral_norms.features.0")
    ('weight_norm', 'spectral_norms')
    """
    return norm.partition(".")[0]


def part_of(measure: str, part: str) -> str:
    """Return what a part of a measure is called as an abscissa; a network that is one layer is its `network`.

    >>> part_of("spectral_norms", "features.0@2"), part_of("spectral_norms", "")
    ('spectral_norms.features.0:2', 'spectral_norms.network')
    """
    return f"{measure}.{re.sub('[^A-Za-z0-9_.:-]', '_', part.replace('@', ':')) or 'network'}"


def problem_of(measure: ComplexityMeasure, value: MeasuredValue) -> str | None:
    """Return what is wrong with what a measure gives beside its one number; None when all is well."""
    for what, given in (("parts", value.parts), ("spectra", value.spectra)):
        if given and what not in measure.gives:
            return f"it gives {what} and does not say so: ComplexityMeasure(..., gives=({what!r},))"
        if not given and what in measure.gives:
            return f"it says that it gives {what}, and gives none"
        if (problem := _problem_of_names(measure.name, given)) is not None:
            return f"{what}: {problem}"
    for part, number in value.parts.items():
        if not isinstance(number, float) or not math.isfinite(number):
            return f"parts[{part!r}] must be a finite float, the natural log of a norm, got {number!r}"
    for layer, spectrum in value.spectra.items():
        if not all(isinstance(one, float) and 0.0 <= one < math.inf for one in spectrum):
            return f"spectra[{layer!r}] must hold finite floats of at least 0"
        if not spectrum or any(one < other for one, other in pairwise(spectrum)):
            return f"spectra[{layer!r}] must hold singular values, the largest first"
    return None


def _problem_of_names(measure: str, names: Iterable[str]) -> str | None:
    found: dict[str, str] = {}
    for name in names:
        safe = part_of(measure, name)
        if len(safe) - len(measure) > MAX_PART:
            return f"the name {name[:40]!r}... has over {MAX_PART} characters"
        if safe in found:
            return f"{found[safe]!r} and {name!r} are both called {safe!r} at MLflow: tell them apart"
        found[safe] = name
    return None
