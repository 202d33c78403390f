"""A run's intervention: it waits for its moment, starts, and is in force from then on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from normlaw.study.intervention import Intervention
from normlaw.training.held_norm import HeldNorm, Weights, degree_of, require_weights, scaled_weights
from normlaw.training.loss import MeanLoss
from normlaw.training.optimizer import Updates
from normlaw.training.run import Run
from normlaw_registry import NormlawError, OptimizerStep


class NeverStartedError(NormlawError):
    """A run came to its end before its intervention started."""


class Intervening:
    """The intervention of a run, or of runs in a stack, which start it together. It is a `between.Between`.

    Args:
        spec: the intervention.
        updates: the optimiser.
        losses: of the runs.
        weights: what is scaled, from `scaled_weights`.
        held: keeps a norm; None where none is held.

    """

    def __init__(
        self,
        spec: Intervention,
        updates: Updates,
        losses: Iterable[MeanLoss],
        weights: Weights,
        held: HeldNorm | None,
    ) -> None:
        self._spec, self._updates, self._losses = spec, updates, list(losses)
        self._weights, self._held = weights, held
        self.started = False

    @classmethod
    def alone(cls, run: Run, updates: Updates) -> Intervening | None:
        """Return that of a run that is trained alone; None where it has none.

        Raises:
            InputError: the norm that it holds cannot be held.

        """
        spec = run.spec.intervention
        if not spec.active:
            return None
        weights = scaled_weights(dict(run.network.named_parameters()))
        return cls(spec, updates, [run.loss], weights, held_norm_of(run, weights))

    @classmethod
    def together(cls, runs: Sequence[Run], updates: Updates, parameters: Weights) -> Intervening | None:
        """Return that of runs in a stack, whose parameters are (s, *shape); None where they have none."""
        spec = runs[0].spec.intervention
        if not spec.active:
            return None
        weights = scaled_weights(parameters, members=True)
        held = None
        if spec.hold_norm is not None:
            require_weights(weights)
            held = HeldNorm(spec.hold_norm, weights)
        return cls(spec, updates, [run.loss for run in runs], weights, held)

    @torch.no_grad()
    def at_the_beginning(self) -> None:
        """Change the initial network, before its first measurement."""
        if self._spec.init_factor is not None:
            for weight in self._weights.values():
                weight.mul_(self._spec.init_factor)
        if self._spec.start is None:
            self.start()

    def start_if_due(self, point: Mapping[str, float]) -> bool:
        """Start it where its moment has come with this measuring point; return whether it has started now."""
        if self.started or self._spec.start is None or not self._spec.start.has_come(point):
            return False
        self.start()
        return True

    def start(self) -> None:
        """Start it."""
        self._put_in_force()
        if self._held is not None:
            self._held.start()
            self._held.hold()

    def _put_in_force(self) -> None:
        self.started = True
        spec = self._spec
        self._updates.change(spec.learning_rate, spec.learning_rate_factor, spec.weight_decay)
        if spec.temperature is not None:
            for loss in self._losses:
                loss.temperature = spec.temperature

    def before(self, step: OptimizerStep) -> None:
        """Leave the gradients as they are."""

    def after(self, step: OptimizerStep) -> None:
        """Hold the norm."""
        del step
        self.hold()

    def hold(self) -> None:
        """Scale the weights back after a step, where a norm is held."""
        if self.started and self._held is not None:
            self._held.hold()

    def state_dict(self, place: int = 0) -> dict[str, Any]:
        """Return what is to be known of it to go on; of one member of a stack."""
        state: dict[str, Any] = {"started": self.started}
        if self._held is not None and self._held.target is not None:
            state["target"] = self._held.target[place : place + 1].clone()
        return state

    def load_state_dicts(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Go on from states of the same intervention; an empty one is that of the trunk at the fork.

        Args:
            states: one a run.

        """
        if not any(states):
            self.start()
            return
        if not all(state.get("started", True) for state in states):
            return
        self._put_in_force()
        if self._held is None:
            return
        self._held.start()
        assert self._held.target is not None, "it has started"
        for place, state in enumerate(states):
            if "target" in state:
                self._held.target[place] = state["target"][0].to(self._held.target.device)
        if not all(states):  # some leave the trunk here
            self._held.hold()

    def require_started(self, step: int) -> None:
        """Raise NeverStartedError where the run is at its end and nothing was changed."""
        if not self.started:
            assert self._spec.start is not None, "without a moment it starts at the beginning"
            moment = self._spec.start.model_dump(exclude_defaults=True)
            raise NeverStartedError(
                f"the run came to its end, step {step}, before its intervention started: `start: {moment}` "
                "never came; let it start earlier, or train longer"
            )


def held_norm_of(run: Run, weights: Weights) -> HeldNorm | None:
    """Return what holds a run's norm; None where none is held.

    Raises:
        InputError: the norm cannot be held by scaling the weights; names it.

    """
    choice = run.spec.intervention.hold_norm
    if choice is None:
        return None
    require_weights(weights)
    if choice.measure is None:
        return HeldNorm(choice, weights)
    measured = run.meter(choice.measure)
    degree = degree_of(choice.measure, measured, run.network)
    return HeldNorm(choice, weights, lambda: measured(run.network), degree)
