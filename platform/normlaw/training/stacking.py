"""Which runs can be trained as one stack, and how many of them a device has room for."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from normlaw.study.spec import RunSpec
from normlaw.training.chosen import followed_steps
from normlaw.training.data import load_splits
from normlaw.training.run import Run
from normlaw_registry import (
    Architecture,
    Catalogue,
    Loss,
    NormlawError,
    Optimizer,
    Schedule,
    validate_params,
)
from normlaw_registry.made_up import blank_inputs

COPIES = 6
"""Of a member's weights: its run's network, the stacked ones, their gradient, two moments, and a spare one."""
SPARE = 0.8
"""Part of the free memory that is counted on."""


class StackTooLargeError(NormlawError):
    """A stack does not fit the device's free memory."""

    def __init__(self, fitting: int) -> None:
        super().__init__(f"only {fitting} of the runs fit the device's memory together")
        self.fitting = fitting


def stacks(
    specs: Iterable[RunSpec], catalogue: Catalogue, folder: Path, size: int
) -> list[tuple[RunSpec, ...]]:
    """Return the runs in stacks of at most `size`: runs that differ in their seed alone.

    Where no layer couples the examples of a batch, they may differ in train_size too. A run stays alone for the
    reason that `alone` gives, or where its network draws random numbers as dropout does.
    """
    if size == 1:
        return [(spec,) for spec in specs]
    families: dict[str, list[RunSpec]] = {}
    kinds: dict[str, bool | None] = {}
    for spec in specs:
        pair = f"{spec.architecture!r} {spec.dataset!r} {spec.compute!r} {alone(spec, catalogue)}"
        if pair not in kinds:
            by_itself = alone(spec, catalogue) is not None
            kinds[pair] = None if by_itself else _takes_any_sizes(spec, catalogue, folder)
        families.setdefault(_family(spec, kinds[pair], catalogue), []).append(spec)
    return [
        tuple(family[start : start + size])
        for family in families.values()
        for start in range(0, len(family), size)
    ]


def alone(spec: RunSpec, catalogue: Catalogue) -> str | None:
    """Return why a run cannot be trained in one stack with others, whatever its network; None where it can."""
    if spec.follows_norm:
        return f"trainer {spec.trainer.name!r} follows a path in the norm"
    if spec.sampling == "one_pass":
        return "runs that see each example once draw their batches one by one"
    if spec.compute.compile != "off":
        return "compiled networks cannot be stacked"
    if names := followed_steps(spec, catalogue):
        return f"callback {names[0]!r} follows the steps of one run at a time"
    if not catalogue.get(Optimizer, spec.optimizer.name).elementwise:
        return f"optimizer {spec.optimizer.name!r} updates a weight by others too, so that it cannot be stacked"
    if not catalogue.get(Loss, spec.loss.name).stacks:
        return f"loss {spec.loss.name!r} cannot be stacked, as it says of itself"
    start, held = spec.intervention.start, spec.intervention.hold_norm
    if start is not None and start.step is None:
        return "an intervention that starts at a train error or a norm starts at a step of each run's own"
    if held is not None and held.measure is not None:
        return f"holding the measure {held.measure!r} takes it after each step, of each network by itself"
    return None


def _family(spec: RunSpec, any_sizes: bool | None, catalogue: Catalogue) -> str:
    if any_sizes is None:
        return spec.spec_hash
    varied = {"seed"}
    needs_length = catalogue.get(Schedule, spec.learning_rate_schedule.name).needs_length
    if any_sizes and (spec.steps is not None or not (needs_length or spec.intervention.start)):
        varied.add("train_size")
    return json.dumps(spec.model_dump(mode="json", exclude=varied), sort_keys=True)


def _takes_any_sizes(spec: RunSpec, catalogue: Catalogue, folder: Path) -> bool | None:
    """Return whether a run's network takes each example by itself; None where it draws random numbers."""
    task = load_splits(spec, catalogue, folder).task
    architecture = catalogue.get(Architecture, spec.architecture.name)
    with torch.random.fork_rng(devices=[]):
        network = architecture.build(validate_params(architecture, spec.architecture.params), task).train()
        before = torch.get_rng_state()
        with torch.no_grad():
            network(blank_inputs(task, 2))
        if not torch.equal(before, torch.get_rng_state()):
            return None
    return not any(True for _ in network.buffers())  # running statistics of a batch


def require_room(runs: list[Run], device: str) -> None:
    """Raise StackTooLargeError where the runs, held by the device already, cannot be trained at once."""
    fitting = int(SPARE * _free_bytes(device) / member_bytes(runs[0]))
    if fitting < len(runs):
        raise StackTooLargeError(max(1, fitting))


def member_bytes(run: Run) -> int:
    """Return the memory that one more member of a stack takes: weights, examples, activations of a batch."""
    tensors = [*run.network.parameters(), *run.network.buffers()]
    examples = run.data.train.split.inputs
    return COPIES * sum(map(_bytes, tensors)) + _bytes(examples) + 2 * _activation_bytes(run)


def _activation_bytes(run: Run) -> int:
    """Return what the gradient of a batch keeps; measured on a copy of the network."""
    kept: dict[int, int] = {}

    def note_size(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    inputs, labels = run.data.train.batch(slice(0, run.spec.batch_size))  # (b, *input_shape), (b,)
    network: nn.Module = copy.deepcopy(run.network).train()
    with torch.random.fork_rng(), torch.autograd.graph.saved_tensors_hooks(note_size, lambda tensor: tensor):
        run.loss(network(inputs), labels)
    return sum(kept.values())


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _free_bytes(device: str) -> int:
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
