"""Schedules of the learning rate."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.schedules.constant import CONSTANT
from normlaw_plugins.schedules.falling import COSINE, LINEAR
from normlaw_plugins.schedules.step import STEP
from normlaw_plugins.schedules.warmup_stable_decay import WARMUP_STABLE_DECAY
from normlaw_registry import Schedule, hookimpl


@hookimpl
def normlaw_schedules() -> Iterable[Schedule]:
    """Return the built-in schedules."""
    return (CONSTANT, COSINE, LINEAR, STEP, WARMUP_STABLE_DECAY)
