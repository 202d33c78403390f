"""Train one run and measure it on its way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from normlaw.spec import OptimizerSpec, RunSpec
from normlaw.training.augmentation import augment
from normlaw.training.data import Change, Examples, RunData, prepare
from normlaw.training.linear.path import follow_norm
from normlaw.training.loss import mean_loss, wrong
from normlaw.training.measuring import Measurer
from normlaw.training.randomness import Stream, generator, torch_seed
from normlaw.training.rate import rate_factor
from normlaw.training.schedule import measuring_steps
from normlaw.training.stopping import reason_to_stop
from normlaw_registry import Architecture, Catalogue, ComplexityMeasure, NormlawError, Params, validate_params

Point = dict[str, float]
"""One measurement: step, epoch, train/error, train/loss, test/error, test/loss, log_norm/<measure>..., and
validation/error and validation/loss unless the test set serves as validation set."""


class TrainingDivergedError(NormlawError):
    """The training loss is no longer finite; what was measured before is kept."""


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
    device: str = "cpu",
    on_data: Callable[[RunData], None] = lambda data: None,
    on_point: Callable[[Point], None] = lambda point: None,
) -> list[Point]:
    """Train a run to its end and return its measurements in the order of their steps.

    On the CPU with a fixed number of threads, the same specification gives the same bits each time.

    Args:
        spec: the run, resolved.
        catalogue: where its components come from.
        folder: where files of data sets are looked for.
        device: where it trains, as torch names it: 'cpu', 'cuda', 'cuda:1'. The draws are the same on all.
        on_data: is told once what the run trains on.
        on_point: is told each measurement as soon as it is taken; an exception it raises stops the run.

    Raises:
        InputError: the data set is too small or missing, or does not fit the architecture.
        TrainingDivergedError: the loss of a batch, or of all examples at a measuring point, is not finite.

    """
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    data = prepare(spec, catalogue, folder, device)
    on_data(data)
    architecture = catalogue.get(Architecture, spec.architecture.name)
    torch.manual_seed(torch_seed(spec.seed, Stream.NETWORK))
    network = architecture.build(validate_params(architecture, spec.architecture.params), data.splits.task)
    network.to(device)
    measurer = Measurer(resolved_measures(spec, catalogue), network, architecture, data.splits.task)
    points: list[Point] = []
    for step in (follow_norm if spec.optimizer.follows_norm else descend)(spec, network, data):
        point = measure(step, spec, network, data, measurer)
        points.append(point)
        on_point(point)
        if reason_to_stop(spec.stop, point):
            break
    return points


def descend(spec: RunSpec, network: nn.Module, data: RunData) -> Iterator[int]:
    """Train the network batch by batch; yield each step at which it is to be measured.

    Raises:
        TrainingDivergedError: the loss of a batch since the last measurement is not finite.

    """
    device = data.train.split.labels.device
    optimizer = build_optimizer(spec.optimizer, network)
    order = batch_order(spec, device)
    step = 0
    for target in measuring_steps(spec.total_steps, spec.measuring_points):
        network.train()
        finite = torch.ones((), dtype=torch.bool, device=device)  # read once a measurement: a GPU need not wait
        while step < target:
            for group in optimizer.param_groups:
                group["lr"] = spec.optimizer.learning_rate * rate_factor(
                    spec.learning_rate_schedule, step, spec.total_steps
                )
            inputs, labels = data.train.batch(next(order), change(spec, Stream.AUGMENTATION, step))
            optimizer.zero_grad(set_to_none=True)
            loss = mean_loss(network(inputs), labels, spec.loss)
            finite &= loss.detach().isfinite()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1
        _require(bool(finite), "of a batch is not finite", step, spec)
        yield step


def resolved_measures(spec: RunSpec, catalogue: Catalogue) -> list[tuple[ComplexityMeasure, Params]]:
    """Return the run's complexity measures with their parameters."""
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
    raise ValueError(f"{spec.name} takes no optimiser steps")


def batch_order(spec: RunSpec, device: torch.device) -> Iterator[Tensor]:
    """Yield the indices of each batch for ever: a fresh permutation of the training examples per epoch."""
    stream = generator(spec.seed, Stream.ORDER)
    while True:
        order = torch.from_numpy(stream.permutation(spec.train_size)).to(device)  # (train_size,)
        yield from torch.split(order, spec.batch_size)


def change(spec: RunSpec, stream: Stream, step: int) -> Change | None:
    """Return the run's augmentation at one optimiser step; None when it has none."""
    if not spec.augmentation.active:
        return None
    return partial(augment, changes=spec.augmentation, stream=generator(spec.seed, stream, step))


@torch.no_grad()
def evaluate(
    network: nn.Module, examples: Examples, spec: RunSpec, changed: Change | None = None
) -> Evaluation:
    """Return error, mean loss and outputs on all examples; the network must be in evaluation mode."""
    logits = torch.cat([network(batch.inputs) for batch in examples.batches(changed)])  # (n, num_outputs)
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
    _require(math.isfinite(on_train.loss), f"is {on_train.loss}", step, spec)
    changed = change(spec, Stream.TEST_AUGMENTATION, step) if spec.augmentation.test_images else None
    on_test = evaluate(network, data.test, spec, changed)
    on_validation = evaluate(network, data.validation, spec, changed) if data.validation else None
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
        **(
            {"validation/error": on_validation.error, "validation/loss": on_validation.loss}
            if on_validation
            else {}
        ),
        **{f"log_norm/{name}": value.log_value for name, value in norms.items()},
    }


def _require(healthy: bool, problem: str, step: int, spec: RunSpec) -> None:
    if not healthy:
        raise TrainingDivergedError(
            f"the training loss {problem} at or before step {step}: try a smaller learning_rate "
            f"than {spec.optimizer.learning_rate}"
        )
