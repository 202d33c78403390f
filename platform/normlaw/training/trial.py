"""Try a run out on a few of its examples: whether data set, network and norms fit each other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from normlaw.base.failures import Failure, reason, traceback_of
from normlaw.launching.support import described
from normlaw.study.spec import Place, RunSpec
from normlaw.training.abscissas import abscissas
from normlaw.training.chosen import chosen_callbacks
from normlaw.training.compute import Forward, laid_out, make_repeatable
from normlaw.training.data import Examples, UnfitDataError, load_splits, prepare
from normlaw.training.descent import take_told
from normlaw.training.followed_run import FollowedRun
from normlaw.training.following import Following
from normlaw.training.held_norm import scaled_weights
from normlaw.training.intervening import held_norm_of
from normlaw.training.linear.path import linear_weight
from normlaw.training.loss import MeanLoss
from normlaw.training.measuring import Measurer
from normlaw.training.misfit import Misfit
from normlaw.training.observer import Observer
from normlaw.training.optimizer import Updates
from normlaw.training.randomness import Stream, torch_seed
from normlaw.training.run import Run, resolved_measures
from normlaw_registry import (
    Architecture,
    Callback,
    Catalogue,
    ComplexityMeasure,
    Dataset,
    Follower,
    InputError,
    Loss,
    MeasuredValue,
    Optimizer,
    Split,
    Splits,
    Task,
    validate_params,
)
from normlaw_registry.errors import suggestion
from normlaw_registry.host.vectors import measure_of
from normlaw_registry.made_up import TOKEN_TYPES

FEW = 8
"""Examples that a run is tried out on."""


@dataclass
class _Stage:
    """What is being tried."""

    tell: Callable[[Place], None]
    place: Place = ()
    subject: str = ""
    """Begins what is said of an error; empty where the error names what it is about."""

    def enter(self, place: Place, subject: str = "") -> None:
        self.place, self.subject = place, subject
        self.tell(place)


def try_out(
    largest: RunSpec,
    smallest: RunSpec,
    catalogue: Catalogue,
    folder: Path,
    device: str,
    *,
    download: bool = False,
    tell: Callable[[Place], None] = lambda place: None,
) -> Misfit | None:
    """Load the data, build the network, and take one step's gradient and one measurement on a few examples.

    A network that is to be compiled is tried as it is: compiling takes longer than all the rest.

    Args:
        largest: the run with the most training examples of those that differ in nothing that matters here.
        smallest: the one with the fewest.
        catalogue: where the components come from.
        folder: where files of data sets are looked for.
        device: where it trains.
        download: whether files of data sets may be fetched.
        tell: is told the key that is tried next, in case the process does not survive it.

    Returns:
        What does not fit; None when all is well. Never raises.

    """
    stage = _Stage(tell)
    try:
        _try(largest, smallest, catalogue, folder, device, download, stage)
    except UnfitDataError as error:
        return Misfit(error.place, Failure.of(error))
    except BaseException as error:  # noqa: BLE001  # a plugin's own code may do anything
        text = f"{stage.subject}: {reason(error)}" if stage.subject else reason(error)
        return Misfit(stage.place, Failure(text, traceback_of(error)))
    return None


def _try(
    largest: RunSpec,
    spec: RunSpec,
    catalogue: Catalogue,
    folder: Path,
    device: str,
    download: bool,
    stage: _Stage,
) -> None:
    make_repeatable(device)
    stage.enter(("dataset",))
    data = described(Dataset, spec.dataset.name, catalogue)
    if not catalogue.get(Dataset, spec.dataset.name).seeded:  # else it is drawn for each size anew
        load_splits(largest, catalogue, folder, download=download)
    splits = load_splits(spec, catalogue, folder, download=download)
    _require_consistent(splits, data)
    task = splits.task
    data = f"{data} (inputs {task.input_shape}, {task.answer})"

    architecture = catalogue.get(Architecture, spec.architecture.name)
    who = described(Architecture, spec.architecture.name, catalogue)
    stage.enter(("architecture",), f"{who} cannot be built for {data}")
    torch.manual_seed(torch_seed(spec.seed, Stream.NETWORK))
    network = architecture.build(validate_params(architecture, spec.architecture.params), task)
    if not isinstance(network, nn.Module):
        raise InputError(f"it gives {type(network).__name__} in place of a torch.nn.Module")

    stage.enter(("architecture",), f"{who} cannot be applied to {data}")
    network, layout = laid_out(network, spec.compute, device, task)
    Forward(network, spec.compute, layout)  # looks for a compiler where one is needed
    forward = Forward(network, spec.compute.model_copy(update={"compile": "off"}), layout)
    few = _few(splits, min(FEW, spec.kept_examples, spec.batch_size), device)
    outputs = forward(few.inputs)
    needed = (len(few), *task.output_shape)
    if tuple(outputs.shape) != needed:
        raise InputError(
            f"its outputs for {len(few)} inputs have the shape {tuple(outputs.shape)}, not {needed}"
        )
    followers: dict[str, Follower] = {}
    if spec.follows_norm:
        stage.enter(("trainer",))
        chosen_callbacks(spec, catalogue)
        linear_weight(spec, network, prepare(spec, catalogue, folder))
    else:
        _take_a_step(spec, catalogue, network, outputs, few, stage, f"{who} cannot be trained on {data}")
        followers = _followers(largest, catalogue, folder, network, forward, stage)

    _try_holding(spec, catalogue, folder, device, stage)
    network.eval()
    stage.enter(("measures",), f"the norms of {who} on {data} cannot be taken")
    measures = resolved_measures(spec, catalogue)
    try:
        found = _measure(Measurer(measures, network, architecture, task), network, forward, few, followers)
    except BaseException:
        for number, (measure, params) in enumerate(measures):  # which of them?
            name = described(ComplexityMeasure, measure.name, catalogue)
            stage.enter(("measures", number), f"{name} cannot be taken of {who} on {data}")
            one = Measurer([(measure, params)], network, architecture, task)
            _measure(one, network, forward, few, followers)
        stage.enter(("measures",), f"the norms of {who} on {data} cannot be taken together")
        raise
    _require_parts(spec, abscissas(found), stage)


def _require_parts(spec: RunSpec, found: Mapping[str, float], stage: _Stage) -> None:
    """Refuse a part of a norm, at which a run is to stop or to be changed, that this network has not."""
    start = spec.intervention.start
    asked = [(("stop", "log_norm"), name) for name in spec.stop.log_norm]
    asked += [(("intervention", "start"), name) for name in (start.log_norm if start else ())]
    for place, name in asked:
        if name not in found and measure_of(name) in found:
            stage.enter(place)
            raise InputError(f"norm {name!r} is not measured: {suggestion(name, list(found))}")


def _take_a_step(
    spec: RunSpec,
    catalogue: Catalogue,
    network: nn.Module,
    outputs: Tensor,
    few: Split,
    stage: _Stage,
    untrainable: str,
) -> None:
    """Take a gradient and an optimiser step on a few examples, and go back to the weights before."""
    loss = _loss(spec, catalogue, outputs, few, stage)
    stage.enter(("architecture",), untrainable)
    loss.backward()  # type: ignore[no-untyped-call]
    who = described(Architecture, spec.architecture.name, catalogue)
    stage.enter(("optimizer",), f"{described(Optimizer, spec.optimizer.name, catalogue)} cannot train {who}")
    updates = Updates(spec, catalogue, dict(network.named_parameters()))
    updates.set_rate(0)
    before = copy.deepcopy(network.state_dict())
    updates.step()
    updates.forget_gradients()
    network.load_state_dict(before)


def _loss(spec: RunSpec, catalogue: Catalogue, outputs: Tensor, few: Split, stage: _Stage) -> Tensor:
    """Return the loss of a few examples, which every built-in loss can be taken of."""
    who = described(Loss, spec.loss.name, catalogue)
    stage.enter(("loss",), f"{who} cannot be taken of outputs {tuple(outputs.shape)}")
    loss = MeanLoss(spec.loss, catalogue)(outputs, few.labels)
    if not isinstance(loss, Tensor) or loss.shape != ():
        raise InputError(f"it gives {type(loss).__name__} in place of a tensor of one number")
    return loss


def _try_holding(spec: RunSpec, catalogue: Catalogue, folder: Path, device: str, stage: _Stage) -> None:
    """See whether the norm that an intervention holds can be held."""
    if spec.intervention.hold_norm is not None:
        stage.enter(("intervention", "hold_norm"))
        run = Run(spec, catalogue, folder, device, Observer())
        held_norm_of(run, scaled_weights(dict(run.network.named_parameters())))


def _followers(
    spec: RunSpec, catalogue: Catalogue, folder: Path, network: nn.Module, forward: Forward, stage: _Stage
) -> dict[str, Follower]:
    """Start a run's callbacks, and have each follow one step on a few examples; return their followers."""
    stage.enter(("callbacks",))
    followers: dict[str, Follower] = {}
    device = str(next(network.parameters()).device)
    for callback, params in chosen_callbacks(spec, catalogue):
        stage.enter(_place_of(callback, spec), f"callback {callback.name!r} cannot follow the run")
        data = prepare(spec, catalogue, folder, device)
        updates = Updates(spec, catalogue, dict(network.named_parameters()))
        updates.set_rate(0)
        mean = MeanLoss(spec.loss, catalogue)
        run = FollowedRun.of(spec, network, updates.optimizer, data, mean)
        following = Following([(callback, params)], run)
        network.train()
        indices = torch.arange(min(FEW, spec.train_size, spec.batch_size), device=device)
        inputs, labels = data.train.batch(indices)
        loss = mean(forward(inputs), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        take_told(following, updates, 1, (inputs, labels, indices), loss.detach())
        updates.forget_gradients()
        followers.update(following.followers)
    return followers


def _place_of(callback: Callback, spec: RunSpec) -> Place:
    """Return the key of a run that asks for a callback: its own place, or that of the measures it serves."""
    named = [number for number, choice in enumerate(spec.callbacks) if choice.name == callback.name]
    return ("callbacks", named[0]) if named else ("measures",)


def _measure(
    measurer: Measurer, network: nn.Module, forward: Forward, few: Split, followers: Mapping[str, Follower]
) -> dict[str, MeasuredValue]:
    def logits() -> Tensor:
        with torch.no_grad():
            return forward(few.inputs)

    return measurer.measure(
        network,
        train_batches=lambda: [few],
        train_labels=few.labels,
        train_logits=logits,
        followers=followers,
    )


def _few(splits: Splits, count: int, device: str) -> Split:
    """Return the first training examples as a network sees them."""
    first = Split(inputs=splits.train.inputs[:count], labels=splits.train.labels[:count])
    inputs, labels = Examples.of(first, splits, device).batch(slice(0, count))
    return Split(inputs=inputs, labels=labels)


def _require_consistent(splits: Splits, data: str) -> None:
    """Raise UnfitDataError where a data set is not what its own task says."""
    task = splits.task
    for name, split in (("training", splits.train), ("test", splits.test)):
        if tuple(split.inputs.shape[1:]) != tuple(task.input_shape):
            raise UnfitDataError(
                ("dataset",),
                f"{data}: its {name} inputs have the shape {tuple(split.inputs.shape[1:])}, and its task says "
                f"{task.input_shape}",
            )
        if task.kind == "next_token":
            _require_tokens(split, task, f"{data}: its {name}")
            continue
        if task.kind == "regression":
            if split.labels.dtype != torch.float32 or split.labels.shape[1:] != (task.num_targets,):
                raise UnfitDataError(
                    ("dataset",),
                    f"{data}: its {name} targets have the shape {tuple(split.labels.shape)} "
                    f"({split.labels.dtype}), and its task says float32 (n, {task.num_targets})",
                )
            continue
        least, most = int(split.labels.min()), int(split.labels.max())
        if split.labels.dtype != torch.int64 or least < 0 or most >= task.num_classes:
            raise UnfitDataError(
                ("dataset",),
                f"{data}: its {name} labels go from {least} to {most} ({split.labels.dtype}), and its task has "
                f"{task.num_classes} classes: int64 from 0 to {task.num_classes - 1}",
            )


def _require_tokens(split: Split, task: Task, which: str) -> None:
    """Raise UnfitDataError where sequences are no tokens of the vocabulary, or have not as many answers."""
    if tuple(split.labels.shape[1:]) != (task.scored_places,):
        raise UnfitDataError(
            ("dataset",),
            f"{which} labels have the shape {tuple(split.labels.shape)}, and its task says "
            f"(n, {task.scored_places}): the token that follows each place that is scored",
        )
    for part, tokens in (("inputs", split.inputs), ("labels", split.labels)):
        known = str(tokens.dtype).removeprefix("torch.") in TOKEN_TYPES
        least, most = (int(tokens.min()), int(tokens.max())) if known else (0, 0)
        if not known or least < 0 or most >= task.vocabulary:
            raise UnfitDataError(
                ("dataset",),
                f"{which} {part} go from {least} to {most} ({tokens.dtype}), and its task has "
                f"{task.vocabulary} tokens: {', '.join(TOKEN_TYPES)} from 0 to {task.vocabulary - 1}",
            )
