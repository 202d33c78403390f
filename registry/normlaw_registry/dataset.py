"""Datasets: tensors to train on and to measure the error with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from normlaw_registry.component import Component

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a data set asks of a network: the shape of one input and the number of classes.

    A network for two classes has one output f, whose sign is the answer; one for more has `num_classes`.
    """

    input_shape: tuple[int, ...]
    """Shape of one input without the batch axis: (channels, height, width) or (features,)."""
    num_classes: int
    """Number of classes, at least 2."""

    @property
    def num_outputs(self) -> int:
        """Number of outputs of a network for this task."""
        return 1 if self.num_classes == 2 else self.num_classes


@dataclass(frozen=True, kw_only=True)
class Split:
    """Inputs with their labels."""

    inputs: Tensor
    """(n, *input_shape); uint8 images in [0, 255], or floating point."""
    labels: Tensor
    """(n,) int64 in [0, num_classes)."""

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.labels)


@dataclass(frozen=True, kw_only=True)
class Splits:
    """A loaded data set. The platform draws nested training subsets from `train` itself."""

    task: Task
    train: Split
    test: Split
    validation: Split | None = None
    """Examples kept apart from `test` for choosing the optimum, where the data set has its own."""
    mean: tuple[float, ...] = (0.0,)
    """Per channel; uint8 inputs are first scaled to [0, 1], then (x - mean) / std on the fly."""
    std: tuple[float, ...] = (1.0,)
    """Per channel, positive."""
    population_error: Callable[[nn.Module], float | None] | None = None
    """The exact test error in [0, 1] of a network where the inputs' distribution is known; it returns None
    for a network to which its closed form does not apply, and the error on `test` is taken instead."""


@dataclass(frozen=True, kw_only=True)
class LoadContext:
    """What the platform tells a data set when it asks for it."""

    seed: int
    """Seed of the run. Only a data set with `seeded=True` may draw from it."""
    train_size: int
    """Number of training examples that will be used at most; a data set of fixed size ignores it."""
    folder: Path
    """Where files of data sets are looked for."""


@dataclass(frozen=True, kw_only=True)
class Dataset(Component):
    """A source of data. `load(params, context)` returns `Splits` and is called once per process and seed.

    Files that are missing or damaged are reported by raising `InputError` with the file's name.
    """

    kind: ClassVar[str] = "dataset"

    load: Callable[[Any, LoadContext], Splits]
    """(params, context) -> splits. Import torch inside."""
    seeded: bool = False
    """True when the data themselves are drawn anew for each seed, as a teacher's are."""
