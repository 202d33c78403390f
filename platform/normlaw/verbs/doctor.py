"""`normlaw doctor`: check the machine before days are spent on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from normlaw.base.html import Several
from normlaw_registry import load_catalogue

if TYPE_CHECKING:
    from normlaw.machine.finding import Finding


def doctor(*architectures: str, tracking_uri: str | None = None) -> list[Finding]:
    """Check this machine before days are spent on it; `normlaw doctor`.

    Args:
        architectures: whose gradients are compared with float64; default: all that are installed.
        tracking_uri: MLflow server.

    """
    return Several(examined(*architectures, tracking_uri=tracking_uri))


def examined(*architectures: str, tracking_uri: str | None = None) -> Iterator[Finding]:
    """Yield each finding of `doctor` as soon as it is there."""
    from normlaw.machine.examine import examine
    from normlaw.study.home import HOME

    return examine(load_catalogue(), HOME, tracking_uri, architectures)
