"""Callbacks: what follows a run from one optimiser step to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol

from normlaw_registry.component import Component, P

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from normlaw_registry.dataset import Split, Task


class RunContext(Protocol):
    """What a callback may ask for when a run starts; a test of a callback need give no more than that.

    Network and optimiser are the run's own ones, alive: what is read of them later is what they are then. Only
    a callback that declares `changes_training` may change anything here.
    """

    @property
    def network(self) -> nn.Module:
        """The network, its weights as they were initialised, in whichever mode."""
        ...

    @property
    def optimizer(self) -> Optimizer:
        """The optimiser, as torch has it: `param_groups` with rate, momentum, decay, `state` with moments."""
        ...

    @property
    def task(self) -> Task:
        """What the network is trained for."""
        ...

    @property
    def train_size(self) -> int:
        """Number of training examples."""
        ...

    @property
    def batch_size(self) -> int:
        """Examples in one step; an epoch's last batch may be smaller."""
        ...

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole run, should no rule end it before."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the run."""
        ...

    def train(self) -> Split:
        """Return all training examples as the network sees them: floating point, normalised, not augmented."""
        ...

    def test(self) -> Split:
        """Return the same of the test examples."""
        ...

    def loss(self, outputs: Tensor, labels: Tensor, /) -> Tensor:
        """Return the mean training loss, a scalar, of outputs (b, *output_shape) for labels (b, ..)."""
        ...

    @property
    def loss_name(self) -> str:
        """What the study calls that loss."""
        ...

    @property
    def changed_by(self) -> tuple[str, ...]:
        """What changes the training besides the optimiser: an intervention, callbacks that say so; by name."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class OptimizerStep:
    """One step of the optimiser, told before and after the weights are updated.

    The gradients of the batch's loss stand in the parameters' `grad`, before and after.
    """

    number: int
    """1 for the step that leads away from the initial network; MLflow's `step` is this number afterwards."""
    learning_rate: float
    """Of this update: the rate of the study times the factor of its schedule."""
    inputs: Tensor
    """(b, *input_shape), as the network was given them: normalised, and augmented where the run does so."""
    labels: Tensor
    """(b,) int64; of a regression the targets, (b, num_targets); of sequences (b, scored_places) int64."""
    indices: Tensor
    """(b,) int64: which of the training examples they are, in the order of `RunContext.train`; of a run that
    sees each example once, their numbers in the data set's endless sequence."""
    loss: Tensor
    """Mean loss of the batch before the update, a scalar without gradient."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RunPoint:
    """A measuring point of a run; the network is in evaluation mode."""

    step: int
    """Optimiser steps done."""
    train_outputs: Tensor
    """(train_size, *output_shape), on `RunContext.train`."""
    test_outputs: Tensor
    """(n, *output_shape), on `RunContext.test`; on augmented ones where the run augments its test images."""


class Follower:
    """Follows one run: derive from it, and override what is needed; what is not overridden costs nothing.

    It is called in this order: `at_point` at step 0; `before_step` and `after_step` for each step, `at_point`
    at each measuring point; `at_end`. A run that was killed goes on at a measuring point: `Callback.start`
    makes a new follower on the network as it was initialised, and `load_state_dict` takes over what
    `state_dict` gave after that point's `at_point`. From there on it must answer as if nothing had happened, to
    the last bit.
    """

    def before_step(self, step: OptimizerStep) -> None:
        """Be told of a step whose gradients are there and whose update is not made yet."""

    def after_step(self, step: OptimizerStep) -> None:
        """Be told of a step whose update has been made."""

    def at_point(self, point: RunPoint) -> Mapping[str, float]:
        """Return what is to be logged at a measuring point: finite numbers by name.

        They are kept as `callback/NAME OF THE CALLBACK/NAME`; what has no finite value at this point is left
        out. A name is lower-case words joined by underscores.
        """
        return {}

    def at_end(self) -> None:
        """Be told that the run has come to its end, after the last measuring point; one that fails has none."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return all that later answers depend on: tensors, numbers, text, and lists and dicts of these.

        It is written out before the run goes on, so that the tensors may be the live ones.
        """
        return {}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` gave; its tensors are on the CPU."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Callback(Component[P], Generic[P]):
    """Follows each optimiser step of a run, and logs what it finds at the measuring points.

    `start(params, run)` returns a `Follower` of one run, or refuses a run that it cannot follow by raising
    `InputError` that says why. What it answers follows from the run alone, and is the same each time.

    A callback looks on: it changes neither weights nor gradients nor buffers nor mode of the network, nor
    torch's global generator, so that a run is the same one, to the last bit, with it and without it, and its
    name is no part of what a run is. One that does change the training says so by `changes_training`; then its
    name and parameters belong to a run's identity.
    """

    kind: ClassVar[str] = "callback"
    functions: ClassVar[tuple[str, ...]] = ("start",)

    start: Callable[[P, RunContext], Follower]
    """(params, run) -> what follows this run. Import torch inside."""
    changes_training: bool = False
    """Whether a run trains differently with it: where it changes weights, gradients, rates or random draws."""
