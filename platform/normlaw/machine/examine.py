"""All checks, and the part of them that takes no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from normlaw.machine import bfloat16, gpu, numerics, plugins, processor, room, server, versions
from normlaw.machine.finding import Finding
from normlaw_registry import Catalogue


def quick(
    catalogue: Catalogue, home: Path, instructions: Callable[[], list[Finding]] = processor.check
) -> Iterator[Finding]:
    """Yield what is found in well under a second, without a server, and is the same a moment later."""
    yield from versions.check()
    yield from plugins.check(catalogue)
    yield from instructions()
    yield from room.memory()
    yield from room.folder(home)


def examine(
    catalogue: Catalogue, home: Path, tracking_uri: str | None, architectures: tuple[str, ...]
) -> Iterator[Finding]:
    """Yield what every check finds, as it is found."""
    yield from quick(catalogue, home)
    yield from processor.share()
    yield from gpu.check()
    yield from bfloat16.check()
    yield from numerics.check(catalogue, architectures)
    yield from server.check(tracking_uri)
