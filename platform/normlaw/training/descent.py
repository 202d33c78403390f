"""Training batch by batch, from one measuring point to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from normlaw.training.batch_order import BatchOrder
from normlaw.training.between import Between, InTurn
from normlaw.training.data import Change
from normlaw.training.evaluation import change, require_healthy
from normlaw.training.fresh_examples import FreshExamples
from normlaw.training.intervening import Intervening
from normlaw.training.optimizer import Updates
from normlaw.training.randomness import Stream
from normlaw.training.run import Run
from normlaw.training.schedule import measuring_steps
from normlaw.training.state import TrainingState
from normlaw_registry import OptimizerStep

STEPS_BETWEEN_CHECKS = 100
"""How often the loss is read to see whether it is finite: each reading makes a GPU wait."""


class Descent:
    """Trains a run's network by its optimiser.

    Attributes:
        updates: the optimiser of the network's parameters, with its rates.
        intervening: the run's intervention; None where it has none.
        between: is told of each step, before and after the update; nobody by default, which costs nothing.

    """

    def __init__(self, run: Run) -> None:
        self._spec, self._network, self._forward, self._data = run.spec, run.network, run.forward, run.data
        self._loss = run.loss
        self.updates = Updates(run.spec, run.catalogue, dict(run.network.named_parameters()))
        self.intervening = Intervening.alone(run, self.updates)
        self.between: Between | None = self.intervening
        self._device = run.data.train.split.labels.device
        self._order: BatchOrder | FreshExamples = (
            FreshExamples(run.spec, run.data)
            if run.spec.sampling == "one_pass"
            else BatchOrder(run.spec, self._device)
        )
        self._step, self._measured = 0, -1

    def tell(self, between: Between | None) -> None:
        """Tell of each step from here on, after the intervention, which changes the training."""
        parts = [part for part in (self.intervening, between) if part is not None]
        self.between = InTurn(parts) if len(parts) > 1 else next(iter(parts), None)

    def at_the_beginning(self) -> None:
        """Change the initial network where an intervention does so."""
        if self.intervening is not None:
            self.intervening.at_the_beginning()

    def measured(self, point: Mapping[str, float]) -> None:
        """Be told of a measurement: an intervention may start with it."""
        if self.intervening is not None:
            self.intervening.start_if_due(point)

    def steps(self) -> Iterator[int]:
        """Train; yield each step at which the network is to be measured, beginning with the first ahead.

        Raises:
            TrainingDivergedError: the loss of a batch since the last measurement is not finite.

        """
        for target in measuring_steps(self._spec.total_steps, self._spec.measuring_points):
            if target > self._measured:
                self.advance(target)
                self._measured = target
                yield target

    def advance(self, target: int) -> None:
        """Train up to a step. Raises as `steps` does."""
        spec = self._spec
        self._network.train()
        losses: list[Tensor] = []  # since the last check
        while self._step < target:
            self.updates.set_rate(self._step)
            changed = change(spec, Stream.AUGMENTATION, self._step)
            indices, inputs, labels = self._batch(changed)
            self.updates.forget_gradients()
            loss = self._loss(self._forward(inputs), labels)
            losses.append(loss.detach())
            loss.backward()  # type: ignore[no-untyped-call]
            if self.between is None:
                self.updates.step()
            else:
                batch = inputs, labels, indices
                take_told(self.between, self.updates, self._step + 1, batch, loss.detach())
            self._step += 1
            if self._step % STEPS_BETWEEN_CHECKS == 0 or self._step == target:
                finite = torch.stack(losses).isfinite().all()
                require_healthy(bool(finite), "of a batch is not finite", self._step, spec)
                losses.clear()

    def _batch(self, changed: Change | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the next batch's indices (b,), inputs (b, *input_shape) and labels (b, ...)."""
        if isinstance(self._order, FreshExamples):
            return self._order.next(changed)
        indices = self._order.next()
        return indices, *self._data.train.batch(indices, changed)

    def state(self, measurer: dict[str, Tensor], callbacks: dict[str, Any]) -> TrainingState:
        """Return the state of the run, with those of its measures and its callbacks."""
        generators = {"cpu": torch.get_rng_state()}
        if self._device.type == "cuda":
            generators["cuda"] = torch.cuda.get_rng_state(self._device)
        return TrainingState(
            step=self._step,
            network=self._network.state_dict(),
            optimizer=self.updates.state_dict(),
            order=self._order.state_dict(),
            measurer=measurer,
            generators=generators,
            callbacks=callbacks,
            intervention={} if self.intervening is None else self.intervening.state_dict(),
        )

    def load_state(self, state: TrainingState) -> None:
        """Go on from a state of the same run, as if training had never stopped."""
        self._network.load_state_dict(state.network)
        self.updates.load_state_dict(state.optimizer)
        self._order.load_state_dict(state.order)
        torch.set_rng_state(state.generators["cpu"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(state.generators["cuda"], self._device)
        if self.intervening is not None:
            self.intervening.load_state_dicts([state.intervention])
        self._step = self._measured = state.step


def take_told(
    between: Between,
    updates: Updates,
    number: int,
    batch: tuple[Tensor, Tensor, Tensor],
    loss: Tensor,
) -> None:
    """Take one optimiser step, and tell of it before and after.

    Args:
        between: is told.
        updates: of weights whose gradients are there, its rate set.
        number: of the step, 1 for the first.
        batch: inputs as the network was given them, labels, and which training examples they are.
        loss: mean loss of the batch, without gradient.

    """
    inputs, labels, indices = batch
    step = OptimizerStep(
        number=number,
        learning_rate=updates.optimizer.param_groups[0]["lr"],
        inputs=inputs,
        labels=labels,
        indices=indices,
        loss=loss,
    )
    between.before(step)
    updates.step()
    between.after(step)
