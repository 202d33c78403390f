"""Training batch by batch, from one measuring point to the next."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from normlaw.study.spec import RunSpec
from normlaw.training.batch_order import BatchOrder
from normlaw.training.between import Between
from normlaw.training.compute import Forward
from normlaw.training.data import RunData
from normlaw.training.evaluation import change, require_healthy
from normlaw.training.loss import mean_loss
from normlaw.training.optimizer import build_optimizer, load_optimizer, set_rate
from normlaw.training.randomness import Stream
from normlaw.training.schedule import measuring_steps
from normlaw.training.state import TrainingState
from normlaw_registry import OptimizerStep

STEPS_BETWEEN_CHECKS = 100
"""How often the loss is read to see whether it is finite: each reading makes a GPU wait."""


class Descent:
    """Trains a network by the run's optimiser.

    Attributes:
        optimizer: of the network's parameters.
        between: is told of each step, before and after the update; nobody by default, which costs nothing.

    """

    def __init__(self, spec: RunSpec, network: nn.Module, forward: Forward, data: RunData) -> None:
        self._spec, self._network, self._forward, self._data = spec, network, forward, data
        self.optimizer = build_optimizer(spec.optimizer, network.parameters())
        self.between: Between | None = None
        self._device = data.train.split.labels.device
        self._order = BatchOrder(spec, self._device)
        self._step, self._measured = 0, -1

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
        finite = torch.ones((), dtype=torch.bool, device=self._device)
        while self._step < target:
            set_rate(self.optimizer, spec, self._step)
            changed = change(spec, Stream.AUGMENTATION, self._step)
            indices = self._order.next()
            inputs, labels = self._data.train.batch(indices, changed)
            self.optimizer.zero_grad(set_to_none=True)
            loss = mean_loss(self._forward(inputs), labels, spec.loss)
            finite &= loss.detach().isfinite()
            loss.backward()  # type: ignore[no-untyped-call]
            if self.between is None:
                self.optimizer.step()
            else:
                self._step_told(self.between, inputs, labels, indices, loss.detach())
            self._step += 1
            if self._step % STEPS_BETWEEN_CHECKS == 0 or self._step == target:
                require_healthy(bool(finite), "of a batch is not finite", self._step, spec)

    def _step_told(
        self, between: Between, inputs: Tensor, labels: Tensor, indices: Tensor, loss: Tensor
    ) -> None:
        step = OptimizerStep(
            number=self._step + 1,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            inputs=inputs,
            labels=labels,
            indices=indices,
            loss=loss,
        )
        between.before(step)
        self.optimizer.step()
        between.after(step)

    def state(self, measurer: dict[str, Tensor]) -> TrainingState:
        """Return the state of the run, with that of its measures."""
        generators = {"cpu": torch.get_rng_state()}
        if self._device.type == "cuda":
            generators["cuda"] = torch.cuda.get_rng_state(self._device)
        return TrainingState(
            step=self._step,
            network=self._network.state_dict(),
            optimizer=self.optimizer.state_dict(),
            order=self._order.state_dict(),
            measurer=measurer,
            generators=generators,
        )

    def load_state(self, state: TrainingState) -> None:
        """Go on from a state of the same run, as if training had never stopped."""
        self._network.load_state_dict(state.network)
        load_optimizer(self.optimizer, state.optimizer)
        self._order.load_state_dict(state.order)
        torch.set_rng_state(state.generators["cpu"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(state.generators["cuda"], self._device)
        self._step = self._measured = state.step
