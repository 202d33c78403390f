"""A training loop that is not normlaw's, of the usual kind: Adam, random batches, dropout and batch norm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import normlaw
from normlaw.observing.observer import Observer

IMAGE = (1, 8, 8)


class Small(nn.Sequential):
    """Layers one after the other, in a `forward` that a compiler reads: it passes over torch's own."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, (b, 3)."""
        for layer in self:
            x = layer(x)
        return x


def network(seed: int = 0) -> Small:
    """Return a small convolutional network, without a draw from the global generator."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Small(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Flatten(),
            nn.Linear(256, 3),
        )


def data(count: int = 64) -> tuple[Tensor, Tensor]:
    """Return images and labels, always the same."""
    stream = torch.Generator().manual_seed(1)
    return torch.rand(count, *IMAGE, generator=stream), torch.randint(3, (count,), generator=stream)


def observe(model: nn.Module, home: Path, **options: Any) -> Observer:
    """Return an observer of the loop, offline unless a server is given."""
    given: dict[str, Any] = {
        "study": "own",
        "train_size": 64,
        "seed": 0,
        "measures": ["spectral_complexity", "weight_norm"],
        "steps": 12,
        "points": 6,
        "offline": "tracking_uri" not in options,
    }
    return normlaw.observe(model, torch.zeros(2, *IMAGE), home=home, **{**given, **options})


@dataclass
class Loop:
    """A training loop that can be left and gone on with."""

    model: nn.Module
    call: Callable[[Tensor], Tensor] | None = None
    """What is called in place of the model, if it is compiled or wrapped."""

    def __post_init__(self) -> None:
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-2)
        self.inputs, self.labels = data()
        self.call = self.call or self.model

    def error(self) -> float:
        """Return the error on all images, in evaluation mode."""
        assert self.call is not None
        mode = self.model.training
        self.model.eval()
        with torch.no_grad():
            wrong = self.call(self.inputs).argmax(1) != self.labels
        self.model.train(mode)
        return float(wrong.double().mean())

    def step(self) -> None:
        """Take one step, on a batch that is drawn from the global generator."""
        assert self.call is not None
        rows = torch.randint(len(self.labels), (16,))
        self.optimizer.zero_grad()
        functional.cross_entropy(self.call(self.inputs[rows]), self.labels[rows]).backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def run(self, observer: Observer | None, first: int = 0, last: int = 12) -> None:
        """Train from one step to another, and measure where it is due."""
        for step in range(first, last + 1):
            if observer is not None and observer.due(step):
                observer.point(step, test_error=self.error())
            elif observer is None:
                self.error()
            if step < last:
                self.step()


@contextmanager
def seeded(seed: int = 5) -> Iterator[None]:
    """Begin with a seed of the global generator, and leave it as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
