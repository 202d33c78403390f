"""Whoever stands between the steps is told of each, before and after the weights move, and moves nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from normlaw.study.spec import RunSpec
from normlaw.training.between import InTurn
from normlaw.training.descent import Descent
from normlaw.training.observer import Observer
from normlaw.training.rate import RateFactor
from normlaw.training.run import Run
from normlaw_registry import Catalogue, OptimizerStep


class Told:
    """Keeps what it is told of a network."""

    def __init__(self, name: str, run: Run, told: list[tuple[str, str, int]]) -> None:
        self.name, self.run, self.told = name, run, told
        self.steps: list[OptimizerStep] = []
        self.weights: list[Tensor] = []
        self.gradients: list[Tensor] = []

    def flat(self) -> Tensor:
        return torch.cat([p.detach().flatten() for p in self.run.network.parameters()])

    def before(self, step: OptimizerStep) -> None:
        self.told.append((self.name, "before", step.number))
        self.weights.append(self.flat())
        self.gradients.append(
            torch.cat([p.grad.flatten() for p in self.run.network.parameters() if p.grad is not None])
        )

    def after(self, step: OptimizerStep) -> None:
        self.told.append((self.name, "after", step.number))
        self.steps.append(step)
        self.weights.append(self.flat())


@pytest.fixture
def one(
    spec: Callable[..., RunSpec], catalogue: Catalogue, tmp_path: Path
) -> Callable[[], tuple[Run, Descent]]:
    def make() -> tuple[Run, Descent]:
        optimizer = {"name": "sgd", "learning_rate": 0.1}
        schedule = {"name": "linear", "warmup_steps": 2}
        made = Run(
            spec(optimizer=optimizer, learning_rate_schedule=schedule, steps=6),
            catalogue,
            tmp_path,
            "cpu",
            Observer(),
        )
        return made, Descent(made)

    return make


def test_each_step_is_told_as_it_is(one: Callable[[], tuple[Run, Descent]]) -> None:
    run, descent = one()
    told: list[tuple[str, str, int]] = []
    first, second = Told("first", run, told), Told("second", run, told)
    descent.between = InTurn([first, second])
    descent.advance(6)
    assert told == [
        (who, when, n) for n in range(1, 7) for when in ("before", "after") for who in ("first", "second")
    ]
    for number, step in enumerate(first.steps):
        rate = 0.1 * RateFactor(run.spec.learning_rate_schedule, 6, run.catalogue)(number)
        assert step.learning_rate == pytest.approx(rate, rel=1e-15)
        before, after = first.weights[2 * number : 2 * number + 2]
        moved = before - rate * first.gradients[number]  # plain gradient descent
        torch.testing.assert_close(after, moved, rtol=0, atol=3e-8)
        assert not torch.equal(after, before)
        inputs, labels = run.data.train.batch(step.indices)
        assert torch.equal(inputs, step.inputs)
        assert torch.equal(labels, step.labels)
        assert not step.loss.requires_grad

    alone, untold = one()
    untold.advance(6)
    for mine, other in zip(run.network.parameters(), alone.network.parameters(), strict=True):
        assert torch.equal(mine, other)
