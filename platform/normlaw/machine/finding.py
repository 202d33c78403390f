"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from normlaw.base.html import paragraph

Grade = Literal["good", "doubtful", "bad"]


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    check: str
    """What was looked at."""
    state: Grade
    """doubtful: runs work, but slower, later or otherwise than they may be expected to; bad: they do not."""
    said: str
    """What was found."""
    advice: str = ""
    """What to do; empty where nothing is to be done."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return paragraph(
            self.said, *([f"({self.advice})"] if self.advice else []), strong=f"{self.state}: {self.check}:"
        )
