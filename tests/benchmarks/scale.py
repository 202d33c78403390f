"""What the paper's full programme costs: all nine settings, all seeds.

    python tests/benchmarks/scale.py [--time] [--server] [--write docs/scale.md]

The table of work follows from the studies alone. --time adds core-hours on this machine, from a timing of
each setting (`normlaw studies --time`); --server logs runs to MLflow servers on loopback, on SQLite and, where
it is installed, on PostgreSQL, and reports what one run costs them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from _pages import write
from torch.utils.flop_counter import FlopCounterMode

from normlaw.study.expansion import expand
from normlaw.study.named import find_study
from normlaw.study.spec import RunSpec
from normlaw.training.cost import study_seconds
from normlaw.training.schedule import measuring_steps
from normlaw_registry import Architecture, Dataset, DatasetInfo, load_catalogue, validate_params

SETTINGS = tuple(
    f"{network}_{data}" for network in ("cnn", "resnet", "vit") for data in ("mnist", "cifar10", "cifar100")
)
RATE = 20e12
"""FLOP/s that a GPU is taken to sustain: 30 % of the 67 TFLOP/s of float32 that NVIDIA states for an H200."""
OF_POINT = 5
"""Metrics of a measuring point besides the norms: epoch, train/error, train/loss, test/error, test/loss."""
OF_RUN = 3
"""optimum/test_error, optimum/log_norm and optimum/bracketed."""
BACKWARD = 3
"""A training step takes about three times the operations of a forward pass."""


@dataclass
class Work:
    """What runs take."""

    runs: int = 0
    steps: int = 0
    images: int = 0
    """Trained on, each time."""
    evaluated: int = 0
    """Forward passes of an image at measuring points."""
    flop: float = 0.0
    rows: int = 0
    """Metric values logged."""

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Work)))


def specs_of(study: str) -> list[RunSpec]:
    return expand(find_study(study), load_catalogue())


def info_of(spec: RunSpec) -> DatasetInfo:
    dataset = load_catalogue().get(Dataset, spec.dataset.name)
    assert dataset.info is not None
    return dataset.info(validate_params(dataset, spec.dataset.params))


def flop_forward(spec: RunSpec) -> float:
    """Return the floating-point operations of one image's forward pass, counted by torch without computing."""
    task = info_of(spec).task
    architecture = load_catalogue().get(Architecture, spec.architecture.name)
    with torch.device("meta"):
        network = architecture.build(validate_params(architecture, spec.architecture.params), task)
        with FlopCounterMode(display=False) as counter:
            network.train()(torch.empty(2, *task.input_shape))
    flops: int = counter.get_total_flops()
    return flops / 2


def work_of(specs: Iterable[RunSpec]) -> Work:
    total = Work()
    forward: dict[str, float] = {}
    for spec in specs:
        key = f"{spec.architecture!r} {spec.dataset!r}"
        if key not in forward:
            forward[key] = flop_forward(spec)
        points = len(measuring_steps(spec.total_steps, spec.measuring_points))
        assert spec.epochs is not None
        images = spec.epochs * spec.train_size
        evaluated = points * (spec.train_size + info_of(spec).test_size)
        flop = forward[key] * (BACKWARD * images + evaluated)
        rows = points * (OF_POINT + len(spec.measures)) + OF_RUN
        total += Work(1, spec.total_steps, images, evaluated, flop, rows)
    return total


def work_table() -> list[str]:
    """Return the table of work; it follows from the studies."""
    lines = [
        "| study | runs | steps, million | images trained on, billion | images evaluated, billion "
        "| EFLOP | GPU-hours, computed | metric values |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    total = Work()
    for study in (*SETTINGS, "all"):
        work = total if study == "all" else work_of(specs_of(study))
        total = total if study == "all" else total + work
        lines.append(
            f"| {study} | {work.runs:,} | {work.steps / 1e6:.1f} | {work.images / 1e9:.2f} | "
            f"{work.evaluated / 1e9:.2f} | {work.flop / 1e18:,.2f} | "
            f"{work.flop / RATE / 3600:,.0f} | {work.rows:,} |"
        )
    return lines


def time_table() -> list[str]:
    """Return core-hours on this machine."""
    lines = ["| study | core-hours | s a step | minutes a run |", "|---|--:|--:|--:|"]
    total = 0.0
    for study in SETTINGS:
        specs = specs_of(study)
        seconds = study_seconds(specs, load_catalogue()) or 0.0
        total += seconds
        steps = sum(spec.total_steps for spec in specs)
        lines.append(
            f"| {study} | {seconds / 3600:,.0f} | {seconds / steps:.3f} | {seconds / len(specs) / 60:,.0f} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    return [*lines, f"| all | {total / 3600:,.0f} | | |"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--server", action="store_true")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    args = parser.parse_args()
    tables = {"work": work_table}
    if args.time:
        tables["time"] = time_table
    if args.server:
        from _server_cost import server_table

        tables["server"] = server_table
    for name, table in tables.items():
        lines = table()
        print("\n".join(lines), end="\n\n", flush=True)
        if args.write:
            write(args.write, name, lines)


if __name__ == "__main__":
    main()
