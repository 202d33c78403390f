"""Plugins that could not be loaded, and names that two claim."""

from __future__ import annotations

from normlaw.machine.finding import Finding
from normlaw_registry import Catalogue


def check(catalogue: Catalogue) -> list[Finding]:
    """Return a finding for each failure."""
    advice = "repair it, or uninstall it; studies that do not name it are not harmed"
    found = [
        Finding("plugin", "bad", f"{record.distribution} {record.version}: {record.failure}", advice)
        for record in catalogue.records
        if record.failure
    ]
    found += [
        Finding("plugin", "bad", f"{kind} {name!r} is claimed twice", "uninstall one (`normlaw plugins`)")
        for kind, name in catalogue.duplicates()
    ]
    good = sum(not record.failure for record in catalogue.records)
    return found or [Finding("plugins", "good", f"{good} loaded, none failed")]
