"""What training costs against the ordinary loop of the field, at CIFAR-10 size on random images.

    python tests/benchmarks/training.py [cnn] [resnet] [vit] [--threads 2] [--device cuda] [--stack 8] ...

The field's loop (`_field_loop.py`) and normlaw's own take turns in one process: an epoch, an evaluation of
all training and test images, the kernels' spectral norms. A whole measured run is put together from these:
EPOCHS epochs and POINTS measuring points. Ratios are of the field's time without worker processes over the
loop's own, the median over the turns; in brackets those of CPU time, worker processes included, which a busy
machine disturbs less. Peak memory is that of a process of its own for each loop, above its imports.

With --share S each turn takes 1/S of the images, and times are multiplied by S: for trials only, since a
loader's worker processes are then started S times as often. It needs torch, torchvision, numpy, scipy,
pydantic and pluggy; normlaw need not be installed: PYTHONPATH=registry:plugins:platform in a checkout.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from _field_loop import FieldLoop, PilImages
from _own_loops import TASK, Ours, Setting, Stacked
from _pages import write
from torch.utils.flop_counter import FlopCounterMode

from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw_registry import Architecture, validate_params

EPOCHS, POINTS = 20, 11
MATMUL = 2048
"""Side of the square matrices whose product gives the machine's peak."""


def loops(setting: Setting, args: argparse.Namespace) -> dict[str, Callable[[], FieldLoop | Ours | Stacked]]:
    """Return what makes each loop, by its name; the field's first."""

    def field(workers: int) -> FieldLoop:
        architecture = setting.catalogue().get(Architecture, setting.architecture)
        torch.manual_seed(0)
        params = validate_params(architecture, architecture.presets["cifar10"])
        splits = setting.splits()
        sets = (PilImages(split.inputs, split.labels) for split in (splits.train, splits.test))
        return FieldLoop(architecture.build(params, TASK), setting.rate, setting.device, workers, *sets)

    made: dict[str, Callable[[], FieldLoop | Ours | Stacked]] = {
        "field, 0 workers": lambda: field(0),
        "field, 4 workers": lambda: field(4),
        "normlaw float32": lambda: Ours(setting),
        "normlaw bfloat16": lambda: Ours(setting, precision="bfloat16"),
    }
    for mode in args.compile:
        for precision in ("float32", "bfloat16"):
            name = f"normlaw {precision}, compiled ({mode})"
            made[name] = lambda m=mode, p=precision: Ours(setting, precision=p, compile=m)
    for size in args.stack:
        for precision in ("float32", "bfloat16"):
            made[f"normlaw {precision}, {size} stacked"] = lambda s=size, p=precision: Stacked(
                setting, s, precision=p
            )
    return made


def seconds(action: Callable[[], None], device: str) -> tuple[float, float]:
    """Return wall time and CPU time, that of ended child processes included."""

    def cpu() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(u.ru_utime + u.ru_stime for u in used)

    wait(device)
    wall, used = perf_counter(), cpu()
    action()
    wait(device)
    return perf_counter() - wall, cpu() - used


def wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def peak(device: str, dtype: torch.dtype) -> float:
    """Return this machine's FLOP/s in a product of two square matrices."""
    a = torch.randn(MATMUL, MATMUL, device=device).to(dtype)
    return max(2 * MATMUL**3 / seconds(lambda: a @ a, device)[0] for _ in range(8))


def flops_per_image(setting: Setting) -> float:
    """Return the floating-point operations of one image's forward pass."""
    run = Run(setting.spec(), setting.catalogue(), Path("unused"), "cpu", Observer())
    with FlopCounterMode(display=False) as counter:
        run.network.train()(torch.zeros(2, *TASK.input_shape))
    return counter.get_total_flops() / 2


PARTS = ("epoch", "evaluate", "norms")


def timed(setting: Setting, args: argparse.Namespace) -> dict[str, np.ndarray]:
    """Return seconds (turns, parts, (wall, CPU)) of one run by loop; parts are `PARTS` and the whole run."""
    made = {name: make() for name, make in loops(setting, args).items()}
    found: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in made}
    for turn in range(args.turns + 1):  # the first one warms up
        for name, loop in made.items():
            times = [seconds(getattr(loop, part), setting.device) for part in PARTS]
            if turn:
                found[name].append(times)
            print(
                f"  turn {turn} {name}: " + ", ".join(f"{t:.2f} s" for t, _ in times),
                file=sys.stderr,
                flush=True,
            )
    result = {}
    for name, turns in found.items():
        parts = np.array(turns) / getattr(made[name], "members", 1)  # (turns, parts, 2)
        parts[:, :2] *= args.share
        run = EPOCHS * parts[:, :1] + POINTS * (parts[:, 1:2] + parts[:, 2:])  # (turns, 1, 2)
        result[name] = np.concatenate([parts, run], axis=1)
    return result


def memory(args: argparse.Namespace, architecture: str, name: str) -> str:
    """Return a loop's peak memory in MiB, from a process of its own."""
    command = [sys.executable, __file__, architecture, "--memory", name, "--share", str(max(args.share, 4))]
    command += ["--device", args.device, "--threads", str(args.threads)]
    for option in ("compile", "stack"):
        for value in getattr(args, option):
            command += [f"--{option}", str(value)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split()[-1] if done.returncode == 0 and done.stdout.split() else "?"


def print_memory(setting: Setting, args: argparse.Namespace) -> None:
    before = high_water()
    loop = loops(setting, args)[args.memory]()
    for part in PARTS:
        getattr(loop, part)()
    print(high_water() - before if args.device == "cpu" else round(torch.cuda.max_memory_allocated() / 2**20))


def high_water() -> int:
    """Return the largest resident memory of this process so far in MiB; worker processes are not in it."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else 0


def report(setting: Setting, args: argparse.Namespace) -> list[str]:
    """Return the lines of a table."""
    flops = flops_per_image(setting)
    peaks = {name: peak(args.device, getattr(torch, name)) for name in ("float32", "bfloat16")}
    times = timed(setting, args)
    rates = ", ".join(f"{value / 1e9:,.0f} GFLOP/s in {name}" for name, value in peaks.items())
    lines = [
        f"**{setting.architecture}**, {flops / 1e9:.2f} GFLOP forward an image; matmul peak {rates}",
        "",
        "| loop | epoch, s | evaluation, s | norms, s | whole run, s | images/s | of peak | MiB "
        "| epoch | evaluation | whole run |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    base = times["field, 0 workers"]
    for name, of in times.items():
        wall = np.median(of[:, :, 0], axis=0)
        rate = args.images / wall[0]
        used = 3 * flops * rate / peaks["bfloat16" if "bfloat16" in name else "float32"]
        ratios = [
            "{:.2f} ({:.2f})".format(*np.median(base[:, part] / of[:, part], axis=0)) for part in (0, 1, 3)
        ]
        cells = [name, *(f"{value:.3g}" for value in wall), f"{rate:,.0f}", f"{used:.0%}"]
        found = "-" if args.no_memory else memory(args, setting.architecture, name)
        lines.append("| " + " | ".join([*cells, found, *ratios]) + " |")
    return lines


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="*", default=["cnn", "resnet", "vit"])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--test-images", type=int, default=10000)
    parser.add_argument("--share", type=int, default=1, help="take 1/SHARE of the images in each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--compile", action="append", default=[], metavar="MODE", help="add torch.compile's MODE"
    )
    parser.add_argument(
        "--stack", action="append", type=int, default=[], metavar="N", help="add N stacked seeds"
    )
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--memory", metavar="LOOP", help="print the peak memory of one loop")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into a page of the docs")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    machine = torch.cuda.get_device_name() if args.device != "cpu" else f"{args.threads} threads, {processor()}"
    lines = [
        f"{machine}, torch {torch.__version__}; {args.images:,} training and {args.test_images:,} test images."
    ]
    for architecture in args.architectures:
        setting = Setting(architecture, args.images // args.share, args.test_images // args.share, args.device)
        if args.memory:
            print_memory(setting, args)
            return
        lines += ["", *report(setting, args)]
    if args.share > 1:
        lines.append(f"\nFrom 1/{args.share} of the images: a trial.")
    print("\n".join(lines))
    if args.write:
        write(args.write, "training", lines)


def processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.machine()


if __name__ == "__main__":
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    main()
