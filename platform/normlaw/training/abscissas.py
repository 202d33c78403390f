"""The abscissas that measures give at one point, and the spectra, under the names that they are kept by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from normlaw_registry import MeasuredValue
from normlaw_registry.host.vectors import part_of

Spectra = Mapping[str, Sequence[float]]
"""<measure>.<layer> -> singular values, the largest first."""


def abscissas(values: Mapping[str, MeasuredValue]) -> dict[str, float]:
    """Return the natural log of each norm: <measure>, and <measure>.<part> for each of its parts.

    >>> abscissas({"sizes": MeasuredValue(log_value=3.0, parts={"fc": 1.0, "fc@2": 2.0})})
    {'sizes': 3.0, 'sizes.fc': 1.0, 'sizes.fc:2': 2.0}
    """
    found: dict[str, float] = {}
    for measure, value in values.items():
        found[measure] = value.log_value
        found |= {part_of(measure, part): log_norm for part, log_norm in value.parts.items()}
    return found


def spectra(values: Mapping[str, MeasuredValue]) -> dict[str, list[float]]:
    """Return the singular values that measures give, by <measure>.<layer>."""
    return {
        part_of(measure, layer): list(spectrum)
        for measure, value in values.items()
        for layer, spectrum in value.spectra.items()
    }
