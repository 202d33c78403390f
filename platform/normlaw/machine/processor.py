"""Instruction set, cores and threads."""

from __future__ import annotations

import os

from normlaw.execution.devices import available_cores
from normlaw.machine.finding import Finding


def check() -> list[Finding]:
    """Return what the processor can do, and how many threads its cores are asked to serve."""
    import torch

    widest = torch.backends.cpu.get_cpu_capability()
    slow = widest in ("DEFAULT", "NO AVX")
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA")
    said = f"torch uses {widest}" + (f", and ONEDNN_MAX_CPU_ISA={limit} narrows oneDNN" if limit else "")
    advice = "unset ONEDNN_MAX_CPU_ISA for full speed" if limit else ""
    if slow:
        advice = "training is several times slower without AVX2: take another machine, or another virtual CPU"
    cores, machine = available_cores(), os.cpu_count() or 1
    found = [Finding("instructions", "doubtful" if slow or limit else "good", said, advice)]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = load > 0.5 * machine
    told = f"{cores} of {machine} cores, load {load:.1f}; runs take one core each"
    found.append(
        Finding("cores", "doubtful" if busy else "good", told, "others use this machine" if busy else "")
    )
    return found
