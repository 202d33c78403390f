"""Train one run and measure it on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from normlaw.spec import OptimizerSpec, RunSpec
from normlaw.training.data import RunData, prepare
from normlaw.training.evaluation import Point, change, measure, require_healthy
from normlaw.training.layer_table import Row
from normlaw.training.linear.path import follow_norm
from normlaw.training.loss import mean_loss
from normlaw.training.measuring import Measurer
from normlaw.training.randomness import Stream, generator, torch_seed
from normlaw.training.rate import rate_factor
from normlaw.training.schedule import measuring_steps
from normlaw.training.stopping import reason_to_stop
from normlaw_registry import Architecture, Catalogue, ComplexityMeasure, Params, validate_params

STEPS_BETWEEN_CHECKS = 100
"""How often the loss is read to see whether it is finite: each reading makes a GPU wait."""


def train(
    spec: RunSpec,
    catalogue: Catalogue,
    *,
    folder: Path = Path("data"),
    device: str = "cpu",
    on_data: Callable[[RunData], None] = lambda data: None,
    on_point: Callable[[Point], None] = lambda point: None,
    on_layers: Callable[[list[Row]], None] = lambda rows: None,
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
        on_layers: is told, at the first and at the last measurement, what each layer contributes.

    Raises:
        InputError: the data set is too small or missing, or does not fit the architecture.
        TrainingDivergedError: the loss of a batch, or of all examples at a measuring point, is not finite.

    """
    if spec.optimizer.follows_norm:  # computed in float64 by numpy
        device = "cpu"
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
        measured = measure(step, spec, network, data, measurer)
        points.append(measured.point)
        on_point(measured.point)
        if len(points) == 1:
            on_layers(measured.layers)
        if reason_to_stop(spec.stop, measured.point):
            break
    on_layers(measured.layers)
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
        finite = torch.ones((), dtype=torch.bool, device=device)
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
            if step % STEPS_BETWEEN_CHECKS == 0 or step == target:
                require_healthy(bool(finite), "of a batch is not finite", step, spec)
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
