"""What callbacks are started on: a run that normlaw trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import nn
from torch.optim import Optimizer

from normlaw.study.identity import changes_training
from normlaw.study.spec import RunSpec
from normlaw.training.data import Examples, RunData
from normlaw.training.loss import MeanLoss
from normlaw_registry import Split, Task


@dataclass(frozen=True)
class FollowedRun:
    """A `RunContext`; what its parts are is said there."""

    spec: RunSpec
    network: nn.Module
    optimizer: Optimizer
    task: Task
    train: Callable[[], Split]
    """Gives all training examples as the network sees them."""
    test: Callable[[], Split]
    """Gives all test examples as the network sees them."""
    loss: MeanLoss
    """Gives the mean training loss of a batch."""

    @classmethod
    def of(cls, spec: RunSpec, network: nn.Module, optimizer: Optimizer, data: RunData, loss: MeanLoss) -> Self:
        """Return what callbacks see of a run with these data."""
        train, test = partial(_whole, data.train), partial(_whole, data.test)
        return cls(spec, network, optimizer, data.splits.task, train, test, loss)

    @property
    def train_size(self) -> int:
        """Number of training examples."""
        return self.spec.train_size

    @property
    def batch_size(self) -> int:
        """Examples in one step."""
        return self.spec.batch_size

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.spec.total_steps

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.spec.seed

    @property
    def loss_name(self) -> str:
        """What the study calls the loss."""
        return self.spec.loss.name

    @property
    def changed_by(self) -> tuple[str, ...]:
        """What changes the training besides the optimiser."""
        names = [choice.name for choice in self.spec.callbacks if changes_training(choice)]
        return (*(["intervention"] if self.spec.intervention.active else []), *names)


def _whole(examples: Examples) -> Split:
    inputs = torch.cat([batch.inputs for batch in examples.batches()])  # (n, *input_shape)
    return Split(inputs=inputs, labels=examples.split.labels)
