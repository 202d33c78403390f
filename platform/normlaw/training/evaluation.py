"""Everything that is measured of a network at one step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from normlaw.study.spec import RunSpec
from normlaw.training.abscissas import Spectra, abscissas, spectra
from normlaw.training.augmentation import augment
from normlaw.training.data import Change, Examples, RunData
from normlaw.training.following import Following
from normlaw.training.layer_table import Row, layer_rows
from normlaw.training.loss import MeanLoss, wrong
from normlaw.training.measuring import Measurer
from normlaw.training.randomness import Stream, generator
from normlaw_registry import Exactness, NormlawError, RunPoint

Point = dict[str, float]
"""One measurement: step, epoch, train/error, train/loss, test/error, test/loss, log_norm/<measure>...,
log_norm/<measure>.<part>..., validation/error and validation/loss unless the test set serves as validation
set, and what callbacks give: callback/<callback>/<name>. A regression has no error; of sequences, losses and
errors are means over tokens."""
Inexact = Mapping[str, Exactness]
"""The measures whose value at a point is not exact: what it is instead, 'upper_bound' or 'estimate'."""
Outputs = Callable[[Examples, Change | None], Tensor]
"""Gives a network's outputs on examples that may be changed, (n, *output_shape)."""


class TrainingDivergedError(NormlawError):
    """The training loss is no longer finite; what was measured before is kept."""


@dataclass(frozen=True)
class Evaluation:
    """Error as a fraction in [0, 1], and mean loss."""

    error: float | None
    """None for a regression."""
    loss: float
    logits: Callable[[], Tensor]
    """Gives the outputs, (n, *output_shape): those of sequences are computed when they are asked for."""

    def metrics(self, split: str) -> Point:
        """Return what is measured on a split, 'train', 'test' or 'validation'."""
        error = {} if self.error is None else {f"{split}/error": self.error}
        return {**error, f"{split}/loss": self.loss}


@dataclass(frozen=True)
class Measurement:
    """What was measured at one step."""

    point: Point
    inexact: Inexact
    layers: list[Row]
    """What each layer contributes to each measure."""
    spectra: Spectra
    """What measures give of singular values."""


def change(spec: RunSpec, stream: Stream, step: int) -> Change | None:
    """Return the run's augmentation at one optimiser step; None when it has none."""
    if not spec.augmentation.active:
        return None
    return partial(augment, changes=spec.augmentation, stream=generator(spec.seed, stream, step))


@torch.no_grad()
def outputs(
    forward: Callable[[Tensor], Tensor],
    examples: Examples,
    changed: Change | None = None,
    *,
    at_once: int | None = None,
) -> Tensor:
    """Return a network's outputs on all examples, (n, *output_shape); it must be in evaluation mode.

    Args:
        forward: the network.
        examples: what it is applied to.
        changed: what is done to them before.
        at_once: examples in a forward pass; by default those of any evaluation, on which bits may depend.

    """
    return torch.cat([forward(batch.inputs) for batch in examples.batches(changed, at_once)])


def measure(
    step: int,
    spec: RunSpec,
    network: nn.Module,
    data: RunData,
    loss: MeanLoss,
    measurer: Measurer,
    outputs_on: Outputs,
    following: Following | None = None,
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
        following: the run's callbacks.

    Raises:
        TrainingDivergedError: the training loss is not finite.
        NormlawError: a norm is not defined, for instance because a weight is zero.

    """
    network.eval()

    def evaluate(examples: Examples, changed: Change | None = None) -> Evaluation:
        if examples.tokens:
            return _over_tokens(examples, loss, outputs_on)
        logits = outputs_on(examples, changed)  # (n, num_outputs)
        labels = examples.split.labels
        error = None if labels.is_floating_point() else wrong(logits, labels).double().mean().item()
        return Evaluation(error, loss(logits.double(), labels).item(), lambda: logits)

    on_train = evaluate(data.train)
    require_healthy(math.isfinite(on_train.loss), f"is {on_train.loss}", step, spec)
    changed = change(spec, Stream.TEST_AUGMENTATION, step) if spec.augmentation.test_images else None
    on_test = evaluate(data.test, changed)
    on_validation = evaluate(data.validation, changed) if data.validation else None
    told: dict[str, float] = {}
    if following is not None:
        told = following.at_point(
            RunPoint(step=step, train_outputs=on_train.logits(), test_outputs=on_test.logits())
        )
    on_test = exactly(on_test, network, data, spec)
    norms = measurer.measure(
        network,
        train_batches=data.train.batches,
        train_labels=data.train.split.labels,
        train_logits=on_train.logits,
        temperature=loss.temperature,
        followers={} if following is None else following.followers,
    )
    point = {
        "step": float(step),
        "epoch": step / spec.steps_per_epoch,
        **on_train.metrics("train"),
        **on_test.metrics("test"),
        **(on_validation.metrics("validation") if on_validation else {}),
        **{f"log_norm/{name}": log_norm for name, log_norm in abscissas(norms).items()},
        **told,
    }
    inexact = {name: value.exactness for name, value in norms.items() if value.exactness != "exact"}
    return Measurement(point, inexact, layer_rows(norms, step), spectra(norms))


def _over_tokens(examples: Examples, loss: MeanLoss, outputs_on: Outputs) -> Evaluation:
    """Return the mean loss and error of all tokens, part by part: the outputs of all would not fit memory."""
    losses, errors = [], []
    for part in examples.parts():
        logits, labels = outputs_on(part, None), part.split.labels  # (b, T, vocabulary), (b, scored_places)
        losses.append(len(part) * loss(logits.double(), labels).item())
        errors.append(len(part) * wrong(logits, labels).double().mean().item())
    count = len(examples)
    return Evaluation(
        math.fsum(errors) / count,
        math.fsum(losses) / count,
        lambda: torch.cat([outputs_on(part, None) for part in examples.parts()]),
    )


def exactly(on_test: Evaluation, network: nn.Module, data: RunData, spec: RunSpec) -> Evaluation:
    """Return an evaluation on test examples with what is known exactly of all inputs in its place."""
    splits = data.splits
    if splits.population_error is not None and (error := splits.population_error(network)) is not None:
        on_test = replace(on_test, error=error)
    if spec.loss.name == "squared" and splits.population_squared_error is not None:
        loss = splits.population_squared_error(network)
        on_test = on_test if loss is None else replace(on_test, loss=loss)
    return on_test


def require_healthy(healthy: bool, problem: str, step: int, spec: RunSpec) -> None:
    """Raise TrainingDivergedError unless the loss is healthy."""
    if not healthy:
        raise TrainingDivergedError(
            f"the training loss {problem} at or before step {step}: try a smaller learning_rate "
            f"than {spec.optimizer.learning_rate}"
        )
