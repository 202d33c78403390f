"""Protocols of analysis."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.protocols.automatic import AUTOMATIC
from normlaw_plugins.protocols.envelope import ENVELOPE
from normlaw_plugins.protocols.released import RELEASED
from normlaw_registry import AnalysisProtocol, hookimpl


@hookimpl
def normlaw_protocols() -> Iterable[AnalysisProtocol]:
    """Return the built-in protocols."""
    return (AUTOMATIC, ENVELOPE, RELEASED)
