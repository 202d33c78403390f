"""What an observer costs a training loop: the time of a point against that of a step, on one thread.

Run: `python tests/benchmarks/observing.py`. Batches of 128, Adam; a point is all that `observer.point` does.
The last column is the length of the loop of which 50 points are 2 %.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import count

import torch
from torch import nn
from torch.nn import functional

import normlaw
from normlaw_plugins.torchvision_import import prepare_torchvision

MEASURES = ("spectral_complexity_kernel", "spectral_complexity", "weight_norm")


def networks() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    """Return networks by name, each with the shape of an input."""
    prepare_torchvision()
    from torchvision.models import resnet18

    dense = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    convolutional = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(32 * 14 * 14, 64), nn.ReLU(), nn.Linear(64, 10)),
    )
    image = (1, 28, 28)
    return {
        "dense": (dense, image),
        "convolutional": (convolutional, image),
        "resnet18": (resnet18(num_classes=10), (3, 32, 32)),
    }


def seconds(function: Callable[[], object], least: float = 1.0) -> float:
    """Return how long a call takes, on average over at least so many seconds, after a first one."""
    function()
    start, calls = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < least:
        function()
        calls += 1
    return spent / calls


def stepper(model: nn.Module, inputs: torch.Tensor) -> Callable[[], None]:
    """Return what takes one training step."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    labels = torch.randint(10, (len(inputs),))

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def of_points(model: nn.Module, inputs: torch.Tensor, measure: str) -> float:
    """Return how long a point takes."""
    with tempfile.TemporaryDirectory() as home:
        observer = normlaw.observe(
            model, inputs, study="cost", train_size=1, seed=0, measures=measure, home=home, offline=True
        )
        steps = count()
        found = seconds(lambda: observer.point(next(steps), test_error=0.5))
        observer.finish()
    return found


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(f"{'network':14} {'norm':27} {'step':>9} {'point':>9} {'in steps':>9} {'2 % from':>9}")
    for name, (model, shape) in networks().items():
        inputs = torch.randn(128, *shape)
        of_a_step = seconds(stepper(model, inputs))
        for measure in MEASURES:
            of_a_point = of_points(model, inputs, measure)
            ratio = of_a_point / of_a_step
            times = f"{1e3 * of_a_step:6.1f} ms {1e3 * of_a_point:6.1f} ms"
            print(f"{name:14} {measure:27} {times} {ratio:9.2f} {50 * ratio / 0.02:9.0f}")


if __name__ == "__main__":
    main()
