"""The fitters of protocols that read power laws off points: the three laws, and two of them with an offset."""

from __future__ import annotations

POWER_LAWS = (
    "early_power_law",
    "early_floor_power_law",
    "optimal_norm_power_law",
    "optimal_norm_offset_power_law",
    "endpoint_power_law",
)
