"""Networks of equal shape trained as one: every parameter has a leading axis over the members of the stack."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.nn.attention import SDPBackend, sdpa_kernel

from normlaw.training.batch_order import BatchOrder
from normlaw.training.compute import arithmetic
from normlaw.training.data import EVALUATION_BATCH, Change, Examples
from normlaw.training.descent import STEPS_BETWEEN_CHECKS
from normlaw.training.evaluation import change, outputs, require_healthy
from normlaw.training.intervening import Intervening
from normlaw.training.memory_format import STACKED
from normlaw.training.optimizer import Updates
from normlaw.training.randomness import Stream
from normlaw.training.run import Run
from normlaw.training.state import TrainingState

COUNTER = "step"
"""The one tensor in the state of torch's optimisers that has not its parameter's shape."""

# Axes: s members of the stack, b examples of a batch, n examples of a split.


@dataclass
class Member:
    """A run in a stack."""

    run: Run
    order: BatchOrder
    optimizer_state: dict[str, Any] | None = None
    """To go on from; None at the beginning."""
    intervention_state: dict[str, Any] = field(default_factory=dict)
    """Likewise."""
    error: BaseException | None = None
    """Why it ended early."""


class NetworkStack:
    """Trains the networks of several runs together, each on batches of its own.

    Args:
        members: runs that differ in seed, or in train_size where no layer couples the examples of a batch.
        step: the optimiser step at which all of them are.

    """

    def __init__(self, members: Sequence[Member], step: int) -> None:
        self.members = list(members)
        self.step = step
        networks = [m.run.network.to(memory_format=STACKED.torch) for m in members]  # type: ignore[call-overload]
        self._parameters, self._buffers = stack_module_state(networks)  # by name: (s, *shape)
        self._skeleton = _skeleton(networks[0])
        first = self.members[0].run
        self._updates = Updates(first.spec, first.catalogue, self._parameters)
        states = [member.optimizer_state for member in members if member.optimizer_state is not None]
        if states:
            self._updates.load_state_dict(_stacked(states))
        runs = [member.run for member in self.members]
        self.intervening = Intervening.together(runs, self._updates, self._parameters)
        if self.intervening is not None and states:
            self.intervening.load_state_dicts([member.intervention_state for member in self.members])
        data = [member.run.data.train for member in members]
        self._examples = Examples.joined(data)
        lengths = torch.tensor([0, *(len(examples) for examples in data[:-1])])
        self._offsets = lengths.cumsum(0).tolist()
        self._device = self._examples.split.labels.device
        self._outputs: dict[str, Tensor] = {}

    def at_the_beginning(self) -> None:
        """Change the initial networks where an intervention does so."""
        if self.intervening is not None:
            self.intervening.at_the_beginning()

    def measured(self, step: int) -> None:
        """Be told that members were measured at a step: an intervention may start with it."""
        if self.intervening is not None and self.intervening.start_if_due({"step": float(step)}):
            self.load()

    def advance(self, target: int) -> None:
        """Train up to a step; a member whose loss is not finite gets its error, and harms no other."""
        finite = torch.ones(len(self.members), dtype=torch.bool, device=self._device)  # (s,)
        self._outputs.clear()
        self._skeleton.train()
        while self.step < target:
            self._updates.set_rate(self.step)
            inputs, labels, present = self._batch()
            self._updates.forget_gradients()
            losses = self._losses(self._apply(inputs), labels, present)  # (s,)
            finite &= losses.detach().isfinite()
            losses.sum().backward()  # type: ignore[no-untyped-call]
            self._updates.step()
            if self.intervening is not None:
                self.intervening.hold()
            self.step += 1
            if self.step % STEPS_BETWEEN_CHECKS == 0 or self.step == target:
                self._note_unhealthy(finite)

    def _batch(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return inputs (s, b, *input_shape), labels (s, b), and which are there, (s, b), where not all are."""
        indices = [
            member.order.next() + offset for member, offset in zip(self.members, self._offsets, strict=True)
        ]
        present = None
        if len({len(index) for index in indices}) > 1:
            sizes = torch.tensor([len(index) for index in indices], device=self._device)
            indices = list(torch.nn.utils.rnn.pad_sequence(indices, batch_first=True))
            present = torch.arange(len(indices[0]), device=self._device) < sizes[:, None]
        if self.members[0].run.spec.augmentation.active:
            batches = [
                self._examples.batch(index, change(member.run.spec, Stream.AUGMENTATION, self.step))
                for member, index in zip(self.members, indices, strict=True)
            ]
            inputs, labels = (torch.stack(part) for part in zip(*batches, strict=True))
            return inputs, labels, present
        inputs, labels = self._examples.batch(torch.cat(indices))  # (s * b, *input_shape), (s * b,)
        return self._by_member(inputs), self._by_member(labels), present

    def _apply(self, inputs: Tensor, shared: bool = False) -> Tensor:
        """Return the members' outputs, (s, b, num_outputs), on inputs of their own or on shared ones."""

        def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor) -> Any:
            return functional_call(self._skeleton, (parameters, buffers), (inputs,))

        compute = self.members[0].run.spec.compute
        # the fused kernels of attention cannot be stacked
        with arithmetic(compute, self._device), sdpa_kernel(SDPBackend.MATH), _no_fused_encoder_layers():
            stacked = torch.vmap(one, in_dims=(0, 0, None if shared else 0))
            outputs: Tensor = stacked(self._parameters, self._buffers, inputs)
        return outputs.float()

    def _losses(self, logits: Tensor, labels: Tensor, present: Tensor | None) -> Tensor:
        """Return each member's mean loss, (s,)."""
        loss = self.members[0].run.loss
        if present is None:
            of_batch: Tensor = torch.vmap(loss)(logits, labels)
            return of_batch
        each = torch.vmap(torch.vmap(lambda z, y: loss(z[None], y[None])))(logits, labels)  # (s, b)
        return torch.where(present, each, 0.0).sum(dim=1) / present.sum(dim=1)

    def _note_unhealthy(self, finite: Tensor) -> None:
        for member, healthy in zip(self.members, finite.tolist(), strict=True):
            try:
                require_healthy(healthy, "of a batch is not finite", self.step, member.run.spec)
            except Exception as error:  # noqa: BLE001  # this member's alone
                member.error = member.error or error

    @torch.no_grad()
    def load(self) -> None:
        """Copy the parameters and buffers of each member into its run's own network."""
        for place, member in enumerate(self.members):
            network = member.run.network
            for name, own in (*network.named_parameters(), *network.named_buffers()):
                stacked = self._parameters[name] if name in self._parameters else self._buffers[name]
                own.copy_(stacked[place])

    @torch.no_grad()
    def outputs_on(self, place: int, examples: Examples, changed: Change | None) -> Tensor:
        """Return one member's outputs on examples, (n, num_outputs), after `load`.

        Those of all members are computed at once, and remembered until the next step, where the examples are
        the same for all, or their own training examples and as many.
        """
        runs = [member.run for member in self.members]
        of_all: Callable[[], list[Tensor]]
        if all(run.data.test is examples for run in runs):
            kind, of_all = (
                "test",
                lambda: [self._apply(batch.inputs, shared=True) for batch in examples.batches()],
            )
        elif examples is runs[place].data.train and len({run.spec.train_size for run in runs}) == 1:
            kind, of_all = "train", self._outputs_on_own
        else:
            kind = ""
        if changed is not None or not kind:
            return outputs(runs[place].forward, examples, changed)
        if kind not in self._outputs:
            self._skeleton.eval()
            self._outputs[kind] = torch.cat(of_all(), dim=1)  # (s, n, num_outputs)
        return self._outputs[kind][place]

    def _outputs_on_own(self) -> list[Tensor]:
        rows = torch.tensor(self._offsets, device=self._device)[:, None]  # (s, 1)
        size = len(self.members[0].run.data.train)
        found = []
        for chunk in torch.split(torch.arange(size, device=self._device), EVALUATION_BATCH):
            inputs, _ = self._examples.batch((rows + chunk).flatten())  # (s * b, *input_shape)
            found.append(self._apply(self._by_member(inputs)))
        return found

    def _by_member(self, rows: Tensor) -> Tensor:
        """Return rows (s * b, ...) as (s, b, ...)."""
        return rows.reshape(len(self.members), -1, *rows.shape[1:])

    def state(self, place: int) -> TrainingState:
        """Return the state of one member after `load`, as if it had been trained alone."""
        member = self.members[place]
        return TrainingState(
            step=self.step,
            network=member.run.network.state_dict(),
            optimizer=_member_of(self._updates.state_dict(), place),
            order=member.order.state_dict(),
            measurer=member.run.measurer.state_dict(),
            generators={"cpu": torch.get_rng_state()},
            intervention={} if self.intervening is None else self.intervening.state_dict(place),
        )

    def without(self, places: set[int]) -> NetworkStack:
        """Return a stack of the other members, after `load`."""
        state = self._updates.state_dict()
        staying = [place for place in range(len(self.members)) if place not in places]
        for place in staying:
            self.members[place].optimizer_state = _member_of(state, place)
            if self.intervening is not None:
                self.members[place].intervention_state = self.intervening.state_dict(place)
        return NetworkStack([self.members[place] for place in staying], self.step)


def _skeleton(network: nn.Module) -> nn.Module:
    """Return a copy without numbers that shares weights as the network does: the way to "meta" parts them."""
    copied: nn.Module = copy.deepcopy(network).to("meta")
    first: dict[int, str] = {}
    for name, weight in network.named_parameters(remove_duplicate=False):
        if (known := first.setdefault(id(weight), name)) != name:
            path, _, attribute = name.rpartition(".")
            setattr(copied.get_submodule(path), attribute, copied.get_parameter(known))
    return copied


@contextmanager
def _no_fused_encoder_layers() -> Iterator[None]:
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _member_of(state: dict[str, Any], place: int) -> dict[str, Any]:
    """Return an optimiser's state for one member of the stack."""
    of_parameters = {
        number: {
            key: value[place].clone() if isinstance(value, Tensor) and key != COUNTER else value
            for key, value in values.items()
        }
        for number, values in state["state"].items()
    }
    return {**state, "state": of_parameters}


def _stacked(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return members' states of an optimiser as one."""
    first = states[0]
    of_parameters = {
        number: {
            key: torch.stack([state["state"][number][key] for state in states])
            if isinstance(value, Tensor) and key != COUNTER
            else value
            for key, value in values.items()
        }
        for number, values in first["state"].items()
    }
    return {**first, "state": of_parameters}
