"""Memory, and the folder of the journals: its space, whether it can be written to, and its locks."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from normlaw.execution.cluster.shared_folder import Token
from normlaw.execution.devices import available_cores
from normlaw.machine.finding import Finding
from normlaw_registry import InputError

GIGABYTE = 1e9
LEAST_DISK, USUAL_DISK = 0.1, 2.0
"""GB below which nothing can be kept for long, and that a large study with checkpoints fills."""
MEMORY_OF_RUN = 1.0
"""GB of a process that trains a usual network."""


def memory() -> list[Finding]:
    """Return whether there is memory for a run on each core."""
    free = psutil.virtual_memory().available / GIGABYTE  # with what the kernel only keeps of files
    cores = available_cores()
    said = f"{free:.1f} GB free for {cores} runs at a time"
    if free < MEMORY_OF_RUN * cores:
        fitting = max(1, int(free / MEMORY_OF_RUN))
        return [Finding("memory", "doubtful", said, f"give --max-parallel {fitting}")]
    return [Finding("memory", "good", said)]


def folder(home: Path) -> list[Finding]:
    """Return whether journals can be kept in a folder: written, locked, and for how long."""
    there = next(parent for parent in (home.resolve(), *home.resolve().parents) if parent.exists())
    free = shutil.disk_usage(there).free / GIGABYTE
    said = f"{free:.1f} GB free at {home}"
    state = "good" if free >= USUAL_DISK else "doubtful" if free >= LEAST_DISK else "bad"
    advice = "" if state == "good" else "make room, or set NORMLAW_HOME to another disk"
    found = [Finding("disk", state, said, advice)]  # type: ignore[arg-type]
    try:
        with Token(home):
            found.append(Finding("folder", "good", f"{home} can be written to, and has file locks"))
    except InputError as error:
        message, _, advice = str(error).rpartition("; ")
        found.append(Finding("folder", "bad", message, advice))
    return found
