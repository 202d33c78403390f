"""What training costs against the ordinary loop of the field, at CIFAR-10 size on random images.

    python tests/benchmarks/training.py [cnn] [resnet] [vit] [--threads 2] [--device cuda] [--stack 8] ...

The field's loop (`_field_loop.py`) and normlaw's own take turns, each in a process of its own: an epoch, an
evaluation of all training and test images, the kernels' spectral norms. A whole measured run is put together
from these: EPOCHS epochs and POINTS measuring points. Ratios are of the field's time without worker processes
over the loop's own, the median over the turns; in brackets those of CPU time, worker processes included,
which a busy machine disturbs less. Peak memory is that of the loop's process above its imports.

With --share S each turn takes 1/S of the images, and times are multiplied by S: for trials only, since a
loader's worker processes are then started S times as often. It needs torch, torchvision, numpy, scipy,
pydantic and pluggy; normlaw need not be installed: PYTHONPATH=registry:plugins:platform in a checkout.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from pathlib import Path

import numpy as np
import torch
from _loops import FIELD, LoopProcess, loops, seconds, serve
from _own_loops import TASK, Setting
from _pages import write
from torch.utils.flop_counter import FlopCounterMode

from normlaw.training.observer import Observer
from normlaw.training.run import Run

EPOCHS, POINTS = 20, 11
MATMUL = 2048
"""Side of the square matrices whose product gives the machine's peak."""


def peak(device: str, dtype: torch.dtype) -> float:
    """Return this machine's FLOP/s in a product of two square matrices."""
    a = torch.randn(MATMUL, MATMUL, device=device).to(dtype)
    return max(2 * MATMUL**3 / seconds(lambda: a @ a, device)[0] for _ in range(8))


def flops_per_image(setting: Setting) -> float:
    """Return the floating-point operations of one image's forward pass."""
    run = Run(setting.spec(), setting.catalogue(), Path("unused"), "cpu", Observer())
    with FlopCounterMode(display=False) as counter:
        run.network.train()(torch.zeros(2, *TASK.input_shape))
    flops: int = counter.get_total_flops()
    return flops / 2


def timed(setting: Setting, args: argparse.Namespace) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Return seconds (turns, parts, (wall, CPU)) of one run by loop, and peaks of memory in MiB.

    Parts are those of a loop and the whole run.
    """
    processes = {
        name: LoopProcess([*sys.argv[1:], "--loop", setting.architecture, name])
        for name in loops(setting, args.compile, args.stack)
    }
    found: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in processes}
    memory: dict[str, int] = {}
    for turn in range(args.turns + 1):  # the first one warms up
        for name, process in processes.items():
            times, memory[name] = process.turn()
            if turn:
                found[name].append(times)
            shown = ", ".join(f"{wall:.2f} s" for wall, _ in times)
            print(f"  turn {turn} {name}: {shown}", file=sys.stderr, flush=True)
    for process in processes.values():
        process.close()
    result = {}
    for name, turns in found.items():
        parts = np.array(turns)  # (turns, parts, 2)
        parts[:, :2] *= args.share
        run = EPOCHS * parts[:, :1] + POINTS * (parts[:, 1:2] + parts[:, 2:])  # (turns, 1, 2)
        result[name] = np.concatenate([parts, run], axis=1)
    return result, memory


def report(setting: Setting, args: argparse.Namespace) -> list[str]:
    """Return the lines of a table."""
    flops = flops_per_image(setting)
    peaks = {name: peak(args.device, getattr(torch, name)) for name in ("float32", "bfloat16")}
    times, memory = timed(setting, args)
    rates = ", ".join(f"{value / 1e9:,.0f} GFLOP/s in {name}" for name, value in peaks.items())
    machine = torch.cuda.get_device_name() if args.device != "cpu" else f"{args.threads} threads, {processor()}"
    lines = [
        f"**{setting.architecture}**: {flops / 1e9:.2f} GFLOP forward an image; {args.images:,} training and "
        f"{args.test_images:,} test images; {machine}, torch {torch.__version__}, matmul peak {rates}",
        *([f"From 1/{args.share} of the images: a trial."] if args.share > 1 else []),
        "",
        "| loop | epoch, s | evaluation, s | norms, s | whole run, s | images/s | of peak | MiB "
        "| epoch | evaluation | whole run |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    base = times[FIELD]
    for name, of in times.items():
        wall = np.median(of[:, :, 0], axis=0)
        rate = args.images / wall[0]
        used = 3 * flops * rate / peaks["bfloat16" if "bfloat16" in name else "float32"]
        ratios = [
            "{:.2f} ({:.2f})".format(*np.median(base[:, part] / of[:, part], axis=0)) for part in (0, 1, 3)
        ]
        cells = [name, *(f"{value:.3g}" for value in wall), f"{rate:,.0f}", f"{used:.0%}", f"{memory[name]:,}"]
        lines.append("| " + " | ".join([*cells, *ratios]) + " |")
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
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into a page of the docs")
    parser.add_argument("--loop", nargs=2, help=argparse.SUPPRESS)  # serve this loop of this architecture
    return parser.parse_args()


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)

    def setting(architecture: str) -> Setting:
        share = args.share
        return Setting(architecture, args.images // share, args.test_images // share, args.device)

    if args.loop:
        architecture, name = args.loop
        serve(loops(setting(architecture), args.compile, args.stack)[name], args.device)
        return
    for architecture in args.architectures:
        lines = report(setting(architecture), args)
        print("\n".join([*lines, ""]), flush=True)
        if args.write:
            write(args.write, f"training {architecture}", lines)


def processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.machine()


if __name__ == "__main__":
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    main()
