"""What became of one plugin: its components, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass

from normlaw_registry.component import Component
from normlaw_registry.host.contract import DISTRIBUTION

SLOW_SECONDS = 1.0
"""A plugin that takes so long is told to be slow. torch takes longer, and all of normlaw's own plugins less."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PluginRecord:
    """What became of one entry point."""

    name: str
    """The entry point's name."""
    module: str
    """The module that it names."""
    distribution: str
    """The installed distribution that announces it, or '(none)' where there is none, as in a test."""
    version: str
    """The distribution's version; empty where there is none."""
    requires: str | None = None
    """Which normlaw the distribution was built for, as its metadata say it ('normlaw>=0.1'); None where they
    do not, and for normlaw's own plugins."""
    components: tuple[Component, ...] = ()
    failure: str | None = None
    """Why nothing of this plugin can be used; None when all went well."""

    seconds: float = 0.0
    """How long its import and its hooks took, by the clock on the wall."""

    @property
    def is_slow(self) -> bool:
        """Whether each command waits for it noticeably; normlaw's own plugins are not told apart from it."""
        return self.seconds >= SLOW_SECONDS and self.distribution != DISTRIBUTION

    @property
    def provider(self) -> str:
        """Who provides it, as error messages say it."""
        who = f"{self.distribution} {self.version}".rstrip()
        return f"{who} (entry point {self.name!r}, module {self.module})"
