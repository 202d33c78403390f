"""Plugins that could not be loaded or are slow, and names that two claim."""

from __future__ import annotations

from normlaw.machine.finding import Finding
from normlaw_registry import Catalogue


def check(catalogue: Catalogue) -> list[Finding]:
    """Return a finding for each trouble."""
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
    found += [
        Finding(
            "plugin",
            "doubtful",
            f"{record.distribution} {record.version}: {record.module} took {record.seconds:.1f} s to load",
            "every command that looks a component up waits for it: tell its author to import torch and the "
            "like inside functions, or leave it out by NORMLAW_PLUGINS",
        )
        for record in catalogue.records
        if record.is_slow
    ]
    good = sum(not record.failure for record in catalogue.records)
    return found or [Finding("plugins", "good", f"{good} loaded, none failed")]
