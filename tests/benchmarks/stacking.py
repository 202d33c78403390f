"""What training runs as one stack gains over one after the other, by network, on one thread or a GPU.

    .venv/bin/python tests/benchmarks/stacking.py [--device cuda] [--members 8]

Both ways take the same steps on the same batches and are measured as often, in turns in one process; the ratio
is that of CPU times (wall times on a GPU), the median over the turns. `training` has networks at CIFAR-10 size.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from normlaw.study.spec import RunSpec
from normlaw.training.loop import train
from normlaw.training.observer import Observer
from normlaw.training.threads import use_one_thread
from normlaw.training.together import train_together
from normlaw_registry import load_catalogue

TURNS = 3
SETTINGS: dict[str, dict[str, Any]] = {
    "perceptron, N = 100": {
        "architecture": "perceptron",
        "dataset": {"name": "teacher_student", "params": {"dimension": 100}},
    },
    "perceptron, N = 2000": {
        "architecture": "perceptron",
        "dataset": {"name": "teacher_student", "params": {"dimension": 2000}},
    },
    "mlp, 64-32-10": {"architecture": {"name": "mlp", "params": {"hidden": [32]}}},
    "cnn, 8x8": {"architecture": {"name": "cnn", "params": {"channels": [4, 8], "hidden": [16]}}},
    "resnet, 8x8": {"architecture": {"name": "resnet", "params": {"channels": [4, 8], "blocks": [1, 1]}}},
    "vit, 8x8": {"architecture": {"name": "vit", "params": {"patch": 4, "width": 16, "depth": 2, "heads": 2}}},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--steps", type=int, default=50)
    args = parser.parse_args()
    use_one_thread()
    clock = process_time if args.device == "cpu" else perf_counter
    catalogue = load_catalogue()

    def seconds(action: Callable[[], object]) -> float:
        start = clock()
        action()
        return clock() - start

    print(f"{args.members} runs of {args.steps} steps in batches of 32 on {args.device}")
    for name, setting in SETTINGS.items():
        common = {
            "dataset": "digits",
            "train_size": 256,
            "batch_size": 32,
            "steps": args.steps,
            "measuring_points": 4,
            "measures": ["weight_norm"],
        }
        trees = [{**common, **setting, "seed": seed} for seed in range(args.members)]
        specs = [RunSpec.model_validate(tree).resolved(catalogue) for tree in trees]

        def alone(specs: list[RunSpec] = specs) -> None:
            for spec in specs:
                train(spec, catalogue, device=args.device)

        def together(specs: list[RunSpec] = specs) -> None:
            train_together(
                specs, catalogue, [Observer() for _ in specs], folder=Path("unused"), device=args.device
            )

        alone(specs[:1])  # the first calls import and allocate
        together(specs[:2])
        pairs = [(seconds(alone), seconds(together)) for _ in range(TURNS)]
        ratio = median(one / stacked for one, stacked in pairs)
        one, stacked = pairs[0]
        print(f"{name:22s} one by one {one:6.2f} s, stacked {stacked:6.2f} s: {ratio:.2f} times faster")


if __name__ == "__main__":
    main()
