"""Losses."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.losses.cross_entropy import CROSS_ENTROPY
from normlaw_plugins.losses.hinge import HINGE
from normlaw_plugins.losses.logistic import LOGISTIC
from normlaw_plugins.losses.squared import SQUARED
from normlaw_registry import Loss, hookimpl


@hookimpl
def normlaw_losses() -> Iterable[Loss]:
    """Return the built-in losses."""
    return (CROSS_ENTROPY, HINGE, LOGISTIC, SQUARED)
