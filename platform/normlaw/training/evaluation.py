"""Everything that is measured of a network at one step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from normlaw.study.spec import RunSpec
from normlaw.training.augmentation import augment
from normlaw.training.data import Change, Examples, RunData
from normlaw.training.layer_table import Row, layer_rows
from normlaw.training.loss import MeanLoss, wrong
from normlaw.training.measuring import Measurer
from normlaw.training.randomness import Stream, generator
from normlaw_registry import Exactness, NormlawError

Point = dict[str, float]
"""One measurement: step, epoch, train/error, train/loss, test/error, test/loss, log_norm/<measure>..., and
validation/error and validation/loss unless the test set serves as validation set."""
Inexact = Mapping[str, Exactness]
"""The measures whose value at a point is not exact: what it is instead, 'upper_bound' or 'estimate'."""
Outputs = Callable[[Examples, Change | None], Tensor]
"""Gives a network's outputs on examples that may be changed, (n, num_outputs)."""


class TrainingDivergedError(NormlawError):
    """The training loss is no longer finite; what was measured before is kept."""


@dataclass(frozen=True)
class Evaluation:
    """Errors as fractions in [0, 1], and mean losses."""

    error: float
    loss: float
    logits: Tensor
    """(n, num_outputs)"""


@dataclass(frozen=True)
class Measurement:
    """What was measured at one step."""

    point: Point
    inexact: Inexact
    layers: list[Row]
    """What each layer contributes to each measure."""


def change(spec: RunSpec, stream: Stream, step: int) -> Change | None:
    """Return the run's augmentation at one optimiser step; None when it has none."""
    if not spec.augmentation.active:
        return None
    return partial(augment, changes=spec.augmentation, stream=generator(spec.seed, stream, step))


@torch.no_grad()
def outputs(forward: Callable[[Tensor], Tensor], examples: Examples, changed: Change | None = None) -> Tensor:
    """Return a network's outputs on all examples, (n, num_outputs); it must be in evaluation mode."""
    return torch.cat([forward(batch.inputs) for batch in examples.batches(changed)])


def measure(
    step: int,
    spec: RunSpec,
    network: nn.Module,
    data: RunData,
    loss: MeanLoss,
    measurer: Measurer,
    outputs_on: Outputs,
) -> Measurement:
    """Return everything that is measured at one step.

    Args:
        step: the optimiser step at which the network is.
        spec: the run.
        network: as it is at that step, in any mode.
        data: what it is evaluated on.
        loss: the run's.
        measurer: takes the complexity measures.
        outputs_on: gives the network's outputs.

    Raises:
        TrainingDivergedError: the training loss is not finite.
        NormlawError: a norm is not defined, for instance because a weight is zero.

    """
    network.eval()

    def evaluate(examples: Examples, changed: Change | None = None) -> Evaluation:
        logits = outputs_on(examples, changed)  # (n, num_outputs)
        labels = examples.split.labels
        error = wrong(logits, labels).double().mean().item()
        return Evaluation(error, loss(logits.double(), labels).item(), logits)

    on_train = evaluate(data.train)
    require_healthy(math.isfinite(on_train.loss), f"is {on_train.loss}", step, spec)
    changed = change(spec, Stream.TEST_AUGMENTATION, step) if spec.augmentation.test_images else None
    on_test = evaluate(data.test, changed)
    on_validation = evaluate(data.validation, changed) if data.validation else None
    exact = data.population_error(network)
    norms = measurer.measure(
        network,
        train_batches=data.train.batches,
        train_labels=data.train.split.labels,
        train_logits=lambda: on_train.logits,
    )
    point = {
        "step": float(step),
        "epoch": step / spec.steps_per_epoch,
        "train/error": on_train.error,
        "train/loss": on_train.loss,
        "test/error": on_test.error if exact is None else exact,
        "test/loss": on_test.loss,
        **(
            {"validation/error": on_validation.error, "validation/loss": on_validation.loss}
            if on_validation
            else {}
        ),
        **{f"log_norm/{name}": value.log_value for name, value in norms.items()},
    }
    inexact = {name: value.exactness for name, value in norms.items() if value.exactness != "exact"}
    return Measurement(point, inexact, layer_rows(norms, step))


def require_healthy(healthy: bool, problem: str, step: int, spec: RunSpec) -> None:
    """Raise TrainingDivergedError unless the loss is healthy."""
    if not healthy:
        raise TrainingDivergedError(
            f"the training loss {problem} at or before step {step}: try a smaller learning_rate "
            f"than {spec.optimizer.learning_rate}"
        )
