"""A short training without the platform, with a callback that follows it."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from normlaw_registry.callback import Callback, Follower, OptimizerStep, RunPoint
from normlaw_registry.component import Params
from normlaw_registry.dataset import Split, Task

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

LossName = Literal["cross_entropy", "mse"]
Q = TypeVar("Q", bound=Params)
Told = Callable[..., Any]
"""Is given each call to carry out: what it is called, the function, and its arguments."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShortRun:
    """A run of a few steps on standard normal inputs; a `RunContext` for a callback.

    Each step takes `batch_size` of `train_size` examples in turn, under plain gradient descent with momentum.
    """

    network: nn.Module
    task: Task
    optimizer: Optimizer
    loss_name: LossName
    train_size: int
    batch_size: int
    total_steps: int
    seed: int = 0
    changed_by: tuple[str, ...] = ()
    _examples: dict[str, Split] = field(default_factory=dict)

    def train(self) -> Split:
        """Return the training examples; labels go through the classes in turn."""
        return self._split("train", self.train_size)

    def test(self) -> Split:
        """Return as many test examples."""
        return self._split("test", self.train_size)

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss: `mse` is that of the distance from -1 and 1, or from the one-hot label."""
        from torch.nn.functional import cross_entropy, mse_loss, one_hot, softplus

        if outputs.shape[1] == 1:
            target = 2.0 * labels[:, None].to(outputs.dtype) - 1.0  # (b, 1)
            return (
                mse_loss(outputs, target) if self.loss_name == "mse" else softplus(-2 * target * outputs).mean()
            )
        if self.loss_name == "mse":
            return mse_loss(outputs, one_hot(labels, outputs.shape[1]).to(outputs.dtype))
        return cross_entropy(outputs, labels)

    def _split(self, name: str, size: int) -> Split:
        import torch

        if name not in self._examples:
            generator = torch.Generator().manual_seed(len(name))
            kind = next(self.network.parameters()).dtype
            inputs = torch.randn(size, *self.task.input_shape, generator=generator).to(kind)
            self._examples[name] = Split(inputs=inputs, labels=torch.arange(size) % self.task.num_classes)
        return self._examples[name]


def short_run(
    network: nn.Module,
    task: Task,
    *,
    loss: LossName = "cross_entropy",
    learning_rate: float = 0.05,
    momentum: float = 0.5,
    train_size: int = 24,
    batch_size: int = 8,
    total_steps: int = 6,
) -> ShortRun:
    """Return a run that `followed` trains.

    Args:
        network: is trained; give it anew for each run.
        task: what it is built for.
        loss: cross_entropy, or mse: the mean square of output minus target.
        learning_rate: of the gradient descent.
        momentum: of it.
        train_size: number of training examples, and of test examples.
        batch_size: examples in a step.
        total_steps: steps.

    """
    import torch

    return ShortRun(
        network=network,
        task=task,
        optimizer=torch.optim.SGD(network.parameters(), lr=learning_rate, momentum=momentum),
        loss_name=loss,
        train_size=train_size,
        batch_size=batch_size,
        total_steps=total_steps,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed:
    """What came of a run that was followed."""

    follower: Follower
    """As it stands at the end."""
    metrics: list[Mapping[str, float]]
    """What it gave at each step, step 0 included, all of which are measured."""


def followed(
    callback: Callback[Q],
    params: Q,
    run: ShortRun,
    *,
    interrupted_at: int | None = None,
    told: Told = lambda name, function, *arguments: function(*arguments),
) -> Followed:
    """Train a run to its end as the platform does, with a follower, and measure it at every step.

    Args:
        callback: starts the follower.
        params: of the callback.
        run: not trained yet.
        interrupted_at: a step at which the follower's state is written out, and read by a new one that goes on.
        told: is given each call of the follower to carry out.

    Raises:
        InputError: the callback refuses the run.

    """
    import torch

    network, optimizer, split = run.network, run.optimizer, run.train()
    initial = copy.deepcopy(network.state_dict())
    follower = told("start", callback.start, params, run)
    metrics = [told("at_point", follower.at_point, _point(run, 0))]
    for number in range(1, run.total_steps + 1):
        network.train()
        start = (number - 1) * run.batch_size % run.train_size
        indices = torch.arange(start, min(start + run.batch_size, run.train_size))
        optimizer.zero_grad(set_to_none=True)
        loss = run.loss(network(split.inputs[indices]), split.labels[indices])
        loss.backward()  # type: ignore[no-untyped-call]
        step = OptimizerStep(
            number=number,
            learning_rate=optimizer.param_groups[0]["lr"],
            inputs=split.inputs[indices],
            labels=split.labels[indices],
            indices=indices,
            loss=loss.detach(),
        )
        told("before_step", follower.before_step, step)
        optimizer.step()
        told("after_step", follower.after_step, step)
        metrics.append(told("at_point", follower.at_point, _point(run, number)))
        if number == interrupted_at:
            follower = _another(callback, params, run, initial, told("state_dict", follower.state_dict))
    told("at_end", follower.at_end)
    return Followed(follower=follower, metrics=metrics)


def _point(run: ShortRun, step: int) -> RunPoint:
    import torch

    run.network.eval()
    with torch.no_grad():
        train, test = run.network(run.train().inputs), run.network(run.test().inputs)
    return RunPoint(step=step, train_outputs=train, test_outputs=test)


def _another(
    callback: Callback[Q], params: Q, run: ShortRun, initial: dict[str, Tensor], state: Mapping[str, Any]
) -> Follower:
    """Return the follower of another process that goes on: started on the initial network, given the state."""
    import torch

    written = io.BytesIO()
    torch.save(dict(state), written)
    trained = copy.deepcopy(run.network.state_dict())
    run.network.load_state_dict(initial)
    follower = callback.start(params, run)
    run.network.load_state_dict(trained)
    follower.load_state_dict(torch.load(io.BytesIO(written.getvalue()), weights_only=True))
    return follower
