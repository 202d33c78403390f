"""What normlaw brings itself."""

from __future__ import annotations

PLUGINS = (
    "architectures",
    "callbacks",
    "complexity",
    "datasets",
    "fitters",
    "losses",
    "optimizers",
    "protocols",
    "schedules",
    "theories",
)
"""Its own entry points."""
