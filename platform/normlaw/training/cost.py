"""What a study costs on this machine, from a short timing on made-up data."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from normlaw.study.spec import RunSpec
from normlaw.training.chosen import chosen_callbacks, followed_steps
from normlaw.training.compute import Forward, laid_out
from normlaw.training.data import require_kind
from normlaw.training.descent import take_told
from normlaw.training.followed_run import FollowedRun
from normlaw.training.following import Following
from normlaw.training.loss import MeanLoss
from normlaw.training.measuring import Measurer
from normlaw.training.memory import keep_freed_memory
from normlaw.training.optimizer import Updates
from normlaw.training.run import resolved_measures
from normlaw.training.schedule import measuring_steps
from normlaw.training.shared_steps import shared_steps
from normlaw.training.threads import one_thread
from normlaw_registry import Architecture, Catalogue, Dataset, DatasetInfo, Split, validate_params
from normlaw_registry.made_up import random_split

FEW, MORE = 8, 24
"""Batch sizes that are timed where a whole batch would take long; a line goes through both."""
QUICK_SECONDS = 0.2
REPEATS = 3


@dataclass(frozen=True)
class Timing:
    """Seconds of CPU time of one thread, for one setting of network, data, optimiser and measures."""

    step: float
    """One optimiser step of a whole batch, with what follows it."""
    example: float
    """One example's forward pass in an evaluation."""
    norms: float
    """All complexity measures at one measuring point."""

    def seconds(self, spec: RunSpec, test_size: int, shared: int = 0) -> float:
        """Return the time of a run of this setting, evaluated on its training and test examples.

        Args:
            spec: the run.
            test_size: number of test examples.
            shared: the step up to which another run, its trunk, has trained and measured it; 0: none.

        """
        steps = measuring_steps(spec.total_steps, spec.measuring_points)
        points = sum(step > shared for step in steps) if shared else len(steps)
        examples = spec.kept_examples + test_size + (spec.validation.size or 0)
        return (spec.total_steps - shared) * self.step + points * (examples * self.example + self.norms)


def study_seconds(specs: Iterable[RunSpec], catalogue: Catalogue) -> float | None:
    """Return the estimated CPU time of all runs one after the other on one thread.

    A run that a stopping rule may end early counts as whole. Each setting is timed once, at its largest
    batch.

    Returns:
        Seconds, or None where a data set tells nothing without its files, or where runs follow the norm:
        the steps that those take are not known beforehand.

    """
    specs = list(specs)
    if any(_unknown_beforehand(spec, catalogue) for spec in specs):
        return None
    return sum(seconds or 0.0 for seconds in run_seconds(specs, catalogue).values())


def run_seconds(specs: Iterable[RunSpec], catalogue: Catalogue) -> dict[str, float | None]:
    """Return each run's estimated CPU time on one thread by its hash; None where it is not known.

    What an arm shares with its trunk counts for the trunk alone, where that is among the runs.
    """
    specs = list(specs)
    found: dict[str, float | None] = {}
    timings: dict[str, Timing] = {}
    hashes = {spec.spec_hash for spec in specs}
    for spec in sorted(specs, key=lambda spec: -spec.train_size):
        found[spec.spec_hash] = None
        dataset = catalogue.get(Dataset, spec.dataset.name)
        if _unknown_beforehand(spec, catalogue) or dataset.info is None:
            continue
        info = dataset.info(validate_params(dataset, spec.dataset.params))
        setting = _setting(spec, catalogue)
        if setting not in timings:
            timings[setting] = time_setting(spec, catalogue, info)
        found[spec.spec_hash] = timings[setting].seconds(spec, info.test_size, shared_steps(spec, hashes))
    return found


def _unknown_beforehand(spec: RunSpec, catalogue: Catalogue) -> bool:
    return spec.follows_norm or catalogue.get(Dataset, spec.dataset.name).info is None


def _setting(spec: RunSpec, catalogue: Catalogue) -> str:
    """Return what a timing depends on; the values of weights and rates do not matter."""
    tree = spec.model_dump(
        mode="json",
        include={"architecture", "dataset", "loss", "batch_size", "measures", "callbacks", "compute"},
    )
    tree["architecture"]["params"].pop("init_factor", None)
    size = spec.train_size if followed_steps(spec, catalogue) else None
    return json.dumps([tree, spec.optimizer.name, size], sort_keys=True)


def time_setting(spec: RunSpec, catalogue: Catalogue, info: DatasetInfo) -> Timing:
    """Time a few steps, a forward pass and the second measurement of a run on random inputs, as in a worker."""
    keep_freed_memory()
    with one_thread(), torch.random.fork_rng(devices=[]):
        return _time(spec, catalogue, info)


def _time(spec: RunSpec, catalogue: Catalogue, info: DatasetInfo) -> Timing:
    task = info.task
    require_kind(spec, catalogue, task)
    architecture = catalogue.get(Architecture, spec.architecture.name)
    network = architecture.build(validate_params(architecture, spec.architecture.params), task)
    network, layout = laid_out(network, spec.compute, "cpu", task)
    apply = Forward(network, spec.compute, layout)
    updates = Updates(spec, catalogue, dict(network.named_parameters()))
    loss = MeanLoss(spec.loss, catalogue)
    whole = min(spec.batch_size, spec.train_size)
    drawn = random_split(task, max(whole, MORE))
    inputs, labels = drawn.inputs, drawn.labels  # (n, *input_shape), (n, ...)
    indices = torch.arange(len(inputs)) % spec.train_size
    followed: Following | None = None
    if chosen := chosen_callbacks(spec, catalogue):
        train, test = (random_split(task, size) for size in (spec.train_size, info.test_size))
        inputs, labels = train.inputs[indices], train.labels[indices]
        optimizer = updates.optimizer
        run = FollowedRun(spec, network, optimizer, task, lambda: train, lambda: test, loss)
        followed = Following(chosen, run)

    def step(size: int) -> None:
        updates.forget_gradients()
        of_batch = loss(apply(inputs[:size]), labels[:size])
        of_batch.backward()  # type: ignore[no-untyped-call]
        if followed is None:
            updates.step()
        else:
            batch = inputs[:size], labels[:size], indices[:size]
            take_told(followed, updates, 1, batch, of_batch.detach())

    @torch.no_grad()
    def forward(size: int) -> None:
        apply(inputs[:size])

    network.train()
    seconds_step = _of_batch(step, whole)
    network.eval()
    seconds_forward = _of_batch(forward, len(inputs)) / len(inputs)
    measurer = Measurer(resolved_measures(spec, catalogue), network, architecture, task)
    few = Split(inputs=inputs[:FEW], labels=labels[:FEW])

    def measure() -> None:
        measurer.measure(
            network,
            train_batches=lambda: [few],
            train_labels=few.labels,
            train_logits=lambda: _outputs(apply, few),
            followers={} if followed is None else followed.followers,
        )

    measure()  # the first one also starts the iterations that later ones go on with
    return Timing(step=seconds_step, example=seconds_forward, norms=_seconds(measure))


def _outputs(apply: Forward, split: Split) -> Tensor:
    with torch.no_grad():
        return apply(split.inputs)


def _of_batch(action: Callable[[int], None], size: int) -> float:
    """Return the seconds of `action` on a batch; where that is long, from two small batches and a line."""
    action(FEW)  # the first call also allocates
    few = _seconds(lambda: action(FEW))
    if few * size / FEW < QUICK_SECONDS:
        action(size)
        return min(_seconds(lambda: action(size)) for _ in range(REPEATS))
    slope = max(0.0, _seconds(lambda: action(MORE)) - few) / (MORE - FEW)
    return few + slope * (size - FEW)


def _seconds(action: Callable[[], None]) -> float:
    start = time.process_time()  # what other programs take does not count
    action()
    return time.process_time() - start
