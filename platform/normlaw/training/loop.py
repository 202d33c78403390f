"""Train one run and measure it on its way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from normlaw.spec import OptimizerSpec, RunSpec
from normlaw.training.data import Examples, RunData, prepare
from normlaw.training.loss import mean_loss, wrong
from normlaw.training.measuring import Measurer
from normlaw.training.randomness import Stream, generator, torch_seed
from normlaw.training.schedule import measuring_steps
from normlaw_registry import Architecture, Catalogue, ComplexityMeasure, NormlawError, Params, validate_params

Point = dict[str, float]
"""One measurement: step, epoch, train/error, train/loss, test/error, test/loss, log_norm/<measure>..."""


class TrainingDivergedError(NormlawError):
    """The training loss is no longer a number; what was measured before is kept."""


@dataclass(frozen=True)
class Evaluation:
    """Errors as fractions in [0, 1], and mean losses."""

    error: float
    loss: float
    logits: Tensor
    """(n, num_outputs)"""


def train(
    spec: RunSpec,
    catalogue: Catalogue,
    *,
    folder: Path = Path("data"),
    on_data: Callable[[RunData], None] = lambda data: None,
    on_point: Callable[[Point], None] = lambda point: None,
) -> list[Point]:
    """Train a run to its end and return its measurements in the order of their steps.

    On the CPU with a fixed number of threads, the same specification gives the same bits each time.

    Args:
        spec: the run, resolved.
        catalogue: where its components come from.
        folder: where files of data sets are looked for.
        on_data: is told once what the run trains on.
        on_point: is told each measurement as soon as it is taken; an exception it raises stops the run.

    Raises:
        InputError: the data set is too small or missing, or does not fit the architecture.
        TrainingDivergedError: the loss is not finite at a measuring point.

    """
    torch.use_deterministic_algorithms(True)
    data = prepare(spec, catalogue, folder)
    on_data(data)
    architecture = catalogue.get(Architecture, spec.architecture.name)
    torch.manual_seed(torch_seed(spec.seed, Stream.NETWORK))
    network = architecture.build(validate_params(architecture, spec.architecture.params), data.splits.task)
    optimizer = build_optimizer(spec.optimizer, network)
    measurer = Measurer(_measures(spec, catalogue), network, architecture, data.splits.task)
    due = iter(measuring_steps(spec.total_steps, spec.measuring_points))
    order = batch_order(spec)
    points: list[Point] = []
    step = 0
    for target in due:
        network.train()
        for _ in range(target - step):
            inputs, labels = data.train.batch(next(order))
            optimizer.zero_grad(set_to_none=True)
            mean_loss(network(inputs), labels, spec.loss).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        step = target
        point = measure(step, spec, network, data, measurer)
        points.append(point)
        on_point(point)
    return points


def _measures(spec: RunSpec, catalogue: Catalogue) -> list[tuple[ComplexityMeasure, Params]]:
    chosen = [(catalogue.get(ComplexityMeasure, m.name), m.params) for m in spec.measures]
    return [(measure, validate_params(measure, params)) for measure, params in chosen]


def build_optimizer(spec: OptimizerSpec, network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimiser of a network's parameters."""
    parameters, rate, decay = network.parameters(), spec.learning_rate, spec.weight_decay
    match spec.name:
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
        case "sgd":
            return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=spec.momentum)


def batch_order(spec: RunSpec) -> Iterator[Tensor]:
    """Yield the indices of each batch for ever: a fresh permutation of the training examples per epoch."""
    stream = generator(spec.seed, Stream.ORDER)
    while True:
        yield from torch.split(torch.from_numpy(stream.permutation(spec.train_size)), spec.batch_size)


@torch.no_grad()
def evaluate(network: nn.Module, examples: Examples, spec: RunSpec) -> Evaluation:
    """Return error, mean loss and outputs on all examples; the network must be in evaluation mode."""
    logits = torch.cat([network(batch.inputs) for batch in examples.batches()])  # (n, num_outputs)
    labels = examples.split.labels
    error = wrong(logits, labels).double().mean().item()
    return Evaluation(error=error, loss=mean_loss(logits.double(), labels, spec.loss).item(), logits=logits)


def measure(step: int, spec: RunSpec, network: nn.Module, data: RunData, measurer: Measurer) -> Point:
    """Return everything that is measured at one step.

    Raises:
        TrainingDivergedError: the training loss is not finite.
        NormlawError: a norm is not defined, for instance because a weight is zero.

    """
    network.eval()
    on_train = evaluate(network, data.train, spec)
    if not math.isfinite(on_train.loss):
        raise TrainingDivergedError(
            f"the training loss is {on_train.loss} at step {step}: try a smaller learning_rate "
            f"than {spec.optimizer.learning_rate}"
        )
    on_test = evaluate(network, data.test, spec)
    exact = data.population_error(network)
    norms = measurer.measure(
        network,
        train_batches=data.train.batches,
        train_labels=data.train.split.labels,
        train_logits=lambda: on_train.logits,
    )
    return {
        "step": float(step),
        "epoch": step / spec.steps_per_epoch,
        "train/error": on_train.error,
        "train/loss": on_train.loss,
        "test/error": on_test.error if exact is None else exact,
        "test/loss": on_test.loss,
        **{f"log_norm/{name}": value.log_value for name, value in norms.items()},
    }
