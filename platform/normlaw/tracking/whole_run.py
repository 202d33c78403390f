"""A run that is known whole before any of it is logged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from normlaw.tracking import keys

Value = tuple[str, int, float]
"""A metric's name, step and value."""


@dataclass(frozen=True)
class WholeRun:
    """A run with all that belongs to it."""

    kind: str
    identity: str
    """Two runs of a kind are the same if these are equal."""
    name: str
    params: Mapping[str, str]
    values: Sequence[Value]
    write_files: Callable[[Path], None]
    """Writes its artifacts into an empty folder."""
    more_tags: Mapping[str, str] = field(default_factory=dict)
    note: Callable[[str], str] | None = None
    """Returns the text that the run's page begins with, from the run's id."""

    @property
    def tags(self) -> dict[str, str]:
        """Its tags, besides its note and those of the process that logs it."""
        return {keys.KIND: self.kind, keys.SPEC_HASH: self.identity, **self.more_tags}

    @property
    def finite(self) -> list[Value]:
        """The values that are logged: MLflow's pages break on the others."""
        return [value for value in self.values if math.isfinite(value[2])]

    def noted(self, run_id: str) -> dict[str, str]:
        """Return the tag that is its note, if it has one."""
        return {keys.NOTE: self.note(run_id)} if self.note is not None else {}
