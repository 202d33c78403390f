"""normlaw's loops as the benchmark of training runs them, and what they train on."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from normlaw.study.spec import RunSpec
from normlaw.training.batch_order import BatchOrder
from normlaw.training.descent import Descent
from normlaw.training.evaluation import outputs
from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw.training.stack import Member, NetworkStack
from normlaw_registry import Catalogue, Dataset, Params, Split, Splits, Task
from normlaw_registry.host import PluginRecord, collect

TASK = Task(input_shape=(3, 32, 32), num_classes=10)
MODULES = (
    "normlaw_plugins.architectures",
    "normlaw_plugins.complexity",
    "normlaw_plugins.losses",
    "normlaw_plugins.optimizers",
    "normlaw_plugins.schedules",
)


@dataclass(frozen=True)
class Setting:
    """What is timed."""

    architecture: str
    images: int
    test_images: int
    device: str

    @property
    def rate(self) -> float:
        return 3e-4 if self.architecture == "vit" else 1e-3

    def splits(self) -> Splits:
        """Return random images, the same ones for all loops."""
        draw = torch.Generator().manual_seed(0)

        def split(count: int) -> Split:
            inputs = torch.randint(256, (count, *TASK.input_shape), dtype=torch.uint8, generator=draw)
            return Split(inputs=inputs, labels=torch.randint(TASK.num_classes, (count,), generator=draw))

        half, quarter = (0.5,) * 3, (0.25,) * 3
        train, test = split(self.images), split(self.test_images)
        return Splits(task=TASK, train=train, test=test, mean=half, std=quarter)

    def catalogue(self) -> Catalogue:
        splits = self.splits()
        images = Dataset(
            name="random_images", summary="Noise", params=Params, load=lambda params, context: splits
        )
        parts = [(name, collect(importlib.import_module(name))) for name in MODULES] + [("", (images,))]
        return Catalogue.of(
            PluginRecord(name=name, module=name, distribution="(none)", version="", components=found)
            for name, found in parts
        )

    def spec(self, seed: int = 0, **compute: str) -> RunSpec:
        tree = {
            "architecture": {"name": self.architecture, "preset": "cifar10"},
            "dataset": "random_images",
            "train_size": self.images,
            "seed": seed,
            "optimizer": {"name": "adam", "learning_rate": self.rate},
            "epochs": 1_000_000,
            "measures": ["spectral_complexity_kernel"],
            "compute": compute,
        }
        return RunSpec.model_validate(tree).resolved(self.catalogue())


class Ours:
    """normlaw's own loop."""

    def __init__(self, setting: Setting, **compute: str) -> None:
        spec = setting.spec(0, **compute)
        self._run = Run(spec, setting.catalogue(), Path("unused"), setting.device, Observer())
        self._descent = Descent(self._run)
        self._steps = 0

    def epoch(self) -> None:
        self._steps += self._run.spec.steps_per_epoch
        self._descent.advance(self._steps)

    def evaluate(self) -> None:
        self._run.network.eval()
        for examples in (self._run.data.train, self._run.data.test):
            logits = outputs(self._run.forward, examples)
            labels = examples.split.labels
            (logits.argmax(dim=1) != labels).double().mean().item()
            torch.nn.functional.cross_entropy(logits.double(), labels).item()

    def norms(self) -> None:
        self._run.measurer.measure(
            self._run.network,
            train_batches=self._run.data.train.batches,
            train_labels=self._run.data.train.split.labels,
            train_logits=lambda: outputs(self._run.forward, self._run.data.train),
        )


class Stacked:
    """Several seeds as one computation; its times are those of one of them."""

    def __init__(self, setting: Setting, size: int, **compute: str) -> None:
        catalogue = setting.catalogue()
        specs = [setting.spec(seed, **compute) for seed in range(size)]
        runs = [Run(spec, catalogue, Path("unused"), setting.device, Observer()) for spec in specs]
        for run in runs[1:]:
            object.__setattr__(run.data, "test", runs[0].data.test)
        members = [Member(run, BatchOrder(run.spec, setting.device)) for run in runs]
        self.members = size
        self._stack, self._runs = NetworkStack(members, 0), runs

    def epoch(self) -> None:
        self._stack.advance(self._stack.step + self._runs[0].spec.steps_per_epoch)

    def evaluate(self) -> None:
        self._stack.load()
        self._stack._outputs.clear()
        for place, run in enumerate(self._runs):
            for examples in (run.data.train, run.data.test):
                logits = self._stack.outputs_on(place, examples, None)
                (logits.argmax(dim=1) != examples.split.labels).double().mean().item()

    def norms(self) -> None:
        for run in self._runs:
            run.measurer.measure(
                run.network,
                train_batches=run.data.train.batches,
                train_labels=run.data.train.split.labels,
                train_logits=partial(outputs, run.forward, run.data.train),
            )
