"""The loops that are timed against one another, each in a process of its own; they take turns."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from time import perf_counter

import torch
from _field_loop import FieldLoop, PilImages, torchvisions_vit
from _own_loops import TASK, Ours, Setting, Stacked

from normlaw_registry import Architecture, validate_params

Loop = FieldLoop | Ours | Stacked
FIELD = "field, 0 workers"
PARTS = ("epoch", "evaluate", "norms")


def loops(setting: Setting, compiled: Iterable[str], stacked: Iterable[int]) -> dict[str, Callable[[], Loop]]:
    """Return what makes each loop, by its name; the field's first."""

    def field(workers: int) -> FieldLoop:
        architecture = setting.catalogue().get(Architecture, setting.architecture)
        torch.manual_seed(0)
        params = validate_params(architecture, architecture.presets["cifar10"])
        splits = setting.splits()
        sets = (PilImages(split.inputs, split.labels) for split in (splits.train, splits.test))
        network = architecture.build(params, TASK)
        if setting.architecture == "vit":
            network = torchvisions_vit(network, params)
        return FieldLoop(network, setting.rate, setting.device, workers, *sets)

    made: dict[str, Callable[[], Loop]] = {FIELD: lambda: field(0), "field, 4 workers": lambda: field(4)}
    for precision in ("float32", "bfloat16"):
        made[f"normlaw {precision}"] = partial(Ours, setting, precision=precision)
        for mode in compiled:
            name = f"normlaw {precision}, compiled ({mode})"
            made[name] = partial(Ours, setting, precision=precision, compile=mode)
        for size in stacked:
            name = f"normlaw {precision}, {size} stacked"
            made[name] = partial(Stacked, setting, size, precision=precision)
    return made


class LoopProcess:
    """A process that holds one loop: a loop changes how its process takes memory, and its peak is its own."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, sys.argv[0], *arguments]
        alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # NumPy's threads and torch's wait for one another
        self._process = subprocess.Popen(
            command, env=alone, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def turn(self) -> tuple[list[tuple[float, float]], int]:
        """Return seconds of each part for one run, wall and CPU, and the peak of memory so far in MiB."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        numbers = self._process.stdout.readline().split()
        if len(numbers) != 2 * len(PARTS) + 1:
            raise SystemExit("a loop's process ended early: what it says is above")
        times = [float(number) for number in numbers[:-1]]
        return list(zip(times[::2], times[1::2], strict=True)), int(numbers[-1])

    def close(self) -> None:
        self._process.communicate()


def serve(make: Callable[[], Loop], device: str) -> None:
    """Run each part of a loop once a line of standard input, and print what it took."""
    before = _memory(device)
    loop = make()
    for _ in sys.stdin:
        times = [seconds(getattr(loop, part), device) for part in PARTS]
        each = [f"{spent / getattr(loop, 'members', 1):.6f}" for pair in times for spent in pair]
        print(*each, _memory(device) - before, flush=True)


def seconds(action: Callable[[], object], device: str) -> tuple[float, float]:
    """Return wall time and CPU time, that of ended child processes included."""

    def cpu() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(u.ru_utime + u.ru_stime for u in used)

    def wait() -> None:
        if device != "cpu":
            torch.cuda.synchronize()

    wait()
    wall, used = perf_counter(), cpu()
    action()
    wait()
    return perf_counter() - wall, cpu() - used


def _memory(device: str) -> int:
    """Return the largest memory of this process so far in MiB, or its tensors' on a GPU; not its children's."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated() // 2**20
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else 0
