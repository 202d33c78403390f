"""Fitters."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.fitters.early_floor_power_law import early_floor_power_law
from normlaw_plugins.fitters.early_power_law import early_power_law
from normlaw_plugins.fitters.endpoint_broken_power_law import endpoint_broken_power_law
from normlaw_plugins.fitters.endpoint_exponential import endpoint_exponential
from normlaw_plugins.fitters.endpoint_floor_power_law import endpoint_floor_power_law
from normlaw_plugins.fitters.endpoint_m4 import endpoint_m4
from normlaw_plugins.fitters.endpoint_power_law import endpoint_power_law
from normlaw_plugins.fitters.optimal_norm_offset_power_law import optimal_norm_offset_power_law
from normlaw_plugins.fitters.optimal_norm_power_law import optimal_norm_power_law
from normlaw_registry import Fitter, hookimpl


@hookimpl
def normlaw_fitters() -> Iterable[Fitter]:
    """Return the built-in fitters."""
    return (
        early_power_law,
        early_floor_power_law,
        optimal_norm_power_law,
        optimal_norm_offset_power_law,
        endpoint_power_law,
        endpoint_floor_power_law,
        endpoint_broken_power_law,
        endpoint_m4,
        endpoint_exponential,
    )
