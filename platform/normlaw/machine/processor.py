"""Instruction set and cores."""

from __future__ import annotations

import os
from pathlib import Path

from normlaw.execution.devices import available_cores
from normlaw.machine.finding import Finding

NARROWING = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")
"""Variables that keep torch from instructions that the processor has."""


def doubts() -> list[Finding]:
    """Return what `check` doubts; torch, which takes more than a second to load, is asked only where it may."""
    about = Path("/proc/cpuinfo")
    if about.exists() and "avx2" in about.read_text().split() and not any(n in os.environ for n in NARROWING):
        return []
    return [finding for finding in check() if finding.state != "good"]


def check() -> list[Finding]:
    """Return which instructions are used."""
    import torch

    widest = torch.backends.cpu.get_cpu_capability()
    slow = widest in ("DEFAULT", "NO AVX")
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA")
    said = f"torch uses {widest}" + (f", and ONEDNN_MAX_CPU_ISA={limit} narrows oneDNN" if limit else "")
    advice = "unset ONEDNN_MAX_CPU_ISA for full speed" if limit else ""
    if slow:
        advice = "training is several times slower without AVX2: take another machine, or another virtual CPU"
    return [Finding("instructions", "doubtful" if slow or limit else "good", said, advice)]


def share() -> list[Finding]:
    """Return how many cores there are for runs, and whether others have kept all of them busy for minutes.

    The load of the last minute still has what has just ended; that of the last five minutes has what lasts.
    """
    cores, machine = available_cores(), os.cpu_count() or 1
    load = min(os.getloadavg()[:2]) if hasattr(os, "getloadavg") else 0.0
    told = f"{cores} of {machine} cores, load {load:.1f}; runs take one core each"
    if load >= machine:
        return [Finding("cores", "doubtful", told, "others keep all cores busy: runs take longer than planned")]
    return [Finding("cores", "good", told)]
