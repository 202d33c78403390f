"""What following each optimiser step costs: the hook itself, a small callback, and telescoping, by network.

    .venv/bin/python tests/benchmarks/following.py [--steps 300]

All ways train the same run on one thread, in turns in one process; the ratios are of CPU times of whole runs
over those of a run that nobody follows, the medians of the turns. `hook` is a callback that overrides nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from normlaw.study.spec import RunSpec
from normlaw.training.loop import train
from normlaw.training.threads import use_one_thread
from normlaw_registry import Callback, Catalogue, Follower, hookimpl, load_catalogue
from normlaw_registry.host import inspect_plugin

TURNS = 5
SETTINGS: dict[str, dict[str, Any]] = {
    f"10-{width}-1, {'all' if size == batch else batch} of {size} examples": {
        "architecture": {"name": "mlp", "params": {"hidden": [width]}},
        "train_size": size,
        "batch_size": batch,
    }
    for width, size, batch in ((5, 60, 60), (40, 60, 60), (100, 400, 20))
}
WAYS: dict[str, dict[str, Any]] = {
    "nobody": {},
    "hook": {"callbacks": ["nothing"]},
    "path_length": {"callbacks": ["path_length"]},
    "telescoping": {"callbacks": [{"name": "telescoping", "params": {"test_examples": 100}}]},
    "telescoping, SGD": {
        "callbacks": [{"name": "telescoping", "params": {"test_examples": 100}}],
        "optimizer": {"name": "sgd", "learning_rate": 0.01},
    },
}


class Lab:
    """A callback that does nothing."""

    @hookimpl
    def normlaw_callbacks(self) -> Any:
        yield Callback(name="nothing", summary="Nothing", start=lambda params, run: Follower())


def seconds(spec: RunSpec, catalogue: Catalogue) -> float:
    start = process_time()
    train(spec, catalogue, folder=Path("unused"))
    return process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    steps = parser.parse_args().steps
    use_one_thread()
    catalogue = Catalogue.of([*load_catalogue().records, inspect_plugin(Lab())])
    common = {
        "dataset": {"name": "teacher_student", "params": {"dimension": 10, "test_size": 200}},
        "loss": "squared",
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "steps": steps,
        "seed": 0,
        "measuring_points": 2,
        "measures": ["weight_norm"],
    }
    for name, setting in SETTINGS.items():
        specs = {
            way: RunSpec.model_validate({**common, **setting, **changes}).resolved(catalogue)
            for way, changes in WAYS.items()
        }
        for spec in specs.values():
            seconds(spec, catalogue)  # the first run of each also imports
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(TURNS):
            for way, spec in specs.items():
                taken[way].append(seconds(spec, catalogue))
        alone = taken["nobody"]
        print(f"{name}: {1000 * median(alone) / steps:.3f} ms a step that nobody follows")
        for way in list(WAYS)[1:]:
            ratio = median(one / other for one, other in zip(taken[way], alone, strict=True))
            print(f"  {way:<18}{ratio:6.2f} times")


if __name__ == "__main__":
    main()
