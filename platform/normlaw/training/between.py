"""Between the steps of the optimiser: where whatever follows, or changes, a run's training stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from normlaw_registry import OptimizerStep


class Between(Protocol):
    """Is told of every optimiser step of a run that is trained alone, before and after the weights move."""

    def before(self, step: OptimizerStep, /) -> None:
        """Be told of a step whose gradients are there and whose update is not made yet."""

    def after(self, step: OptimizerStep, /) -> None:
        """Be told of a step whose update has been made."""


class InTurn:
    """Several of them as one, told in turn: those that change the training stand before those that look on.

    Args:
        parts: whoever is told.

    """

    def __init__(self, parts: Sequence[Between]) -> None:
        self._parts = list(parts)

    def before(self, step: OptimizerStep) -> None:
        """Tell each of the step."""
        for part in self._parts:
            part.before(step)

    def after(self, step: OptimizerStep) -> None:
        """Tell each of the update."""
        for part in self._parts:
            part.after(step)
