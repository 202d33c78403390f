"""The optimiser of a run, with its rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from normlaw.study.spec import RunSpec
from normlaw.training.rate import RateFactor
from normlaw_registry import Catalogue, Optimizer, validate_params


class Updates:
    """A run's optimiser of these weights; `set_rate` before each step.

    Attributes:
        optimizer: of torch's kind.

    Args:
        spec: the run.
        catalogue: where its components come from.
        weights: what is trained, by name: of a network, or of several that are stacked.

    Raises:
        InputError: there is no such optimiser or schedule, or it cannot serve these weights.

    """

    def __init__(self, spec: RunSpec, catalogue: Catalogue, weights: Mapping[str, Tensor]) -> None:
        component = catalogue.get(Optimizer, spec.optimizer.name)
        params = validate_params(component, spec.optimizer.params)
        rate, decay = spec.optimizer.learning_rate, spec.optimizer.weight_decay
        self.optimizer = component.build(params, weights, rate, decay)
        self._rates: list[float] = [group["lr"] for group in self.optimizer.param_groups]
        self._built_with, self._built_rates = rate, self._rates
        self._factor = RateFactor(spec.learning_rate_schedule, spec.total_steps, catalogue)

    def change(self, learning_rate: float | None, factor: float | None, weight_decay: float | None) -> None:
        """Go on with another learning rate, before the schedule's factor, or another weight decay.

        Args:
            learning_rate: takes the place of the optimiser's.
            factor: multiplies the optimiser's instead.
            weight_decay: takes the place of the optimiser's.

        """
        if learning_rate is not None:
            factor = learning_rate / self._built_with
        if factor is not None:
            self._rates = [rate * factor for rate in self._built_rates]
        if weight_decay is not None:
            for group in self.optimizer.param_groups:
                group["weight_decay"] = weight_decay

    def set_rate(self, step: int) -> None:
        """Set the learning rate of the update that leads from `step` to `step + 1`."""
        factor = self._factor(step)
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def step(self) -> None:
        """Update the weights by their gradients."""
        self.optimizer.step()

    def forget_gradients(self) -> None:
        """Let the next backward pass begin anew."""
        self.optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """Return what the next step depends on besides weights and gradients."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over an optimiser's state, whatever the memory layout of the weights that it was saved for.

        Fused optimisers go through weights and moments in the order of memory, which must be the same for both.
        """
        self.optimizer.load_state_dict(state)
        for parameter, values in self.optimizer.state.items():
            for key, value in values.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    values[key] = torch.empty_like(parameter).copy_(value)
