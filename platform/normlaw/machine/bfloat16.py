"""Whether bfloat16 saves time here: processors without it emulate it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from normlaw.machine.finding import Finding

REPEATS = 7


def check() -> list[Finding]:
    """Time the gradient of a convolution in both precisions, on the CPU."""
    import torch
    from torch import nn

    from normlaw.training.threads import one_thread

    layer = nn.Conv2d(32, 32, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.randn(16, 32, 16, 16).to(memory_format=torch.channels_last)

    def seconds(rounded: bool) -> float:
        taken = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=rounded):
                loss = layer(images).float().square().mean()
            loss.backward()
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    with one_thread():
        ratio = seconds(True) / seconds(False)
    native = _in_hardware()
    said = f"{'in hardware' if native else 'emulated'}; a convolution takes {ratio:.1f} times float32's time"
    if ratio > 1.1:
        return [Finding("bfloat16", "doubtful", said, "leave `compute.precision` at float32 on this CPU")]
    return [Finding("bfloat16", "good", said)]


def _in_hardware() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(flags))
