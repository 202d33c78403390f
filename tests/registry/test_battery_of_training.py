"""The checks of losses, optimisers and schedules find every breach that they promise to find."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from normlaw_registry import Component, InvalidComponentError, Loss, Optimizer, Schedule
from normlaw_registry.testing import check_component


def refused(component: Component, message: str) -> None:
    with pytest.raises(InvalidComponentError, match=f"{component.kind} '{component.name}'.*{message}"):
        check_component(component)


def good(_params: Any, outputs: Tensor, targets: Tensor) -> Tensor:
    if outputs.shape[1] == 1:
        return softplus(-(2.0 * targets - 1) * outputs[:, 0]).mean()
    return cross_entropy(outputs, targets)


def noisy(params: Any, outputs: Tensor, targets: Tensor) -> Tensor:
    return good(params, outputs, targets) + torch.rand(())


def changing(params: Any, outputs: Tensor, targets: Tensor) -> Tensor:
    found = good(params, outputs, targets)
    if not outputs.requires_grad:
        outputs += 1
    return found


def looking(params: Any, outputs: Tensor, targets: Tensor) -> Tensor:
    return good(params, outputs, targets) if outputs.sum() > -1e9 else outputs.sum()


class Uphill(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:
        return -gradient


@pytest.mark.parametrize(
    ("mean", "message"),
    [
        (lambda p, z, y: good(p, z, y).item(), "must be a scalar tensor"),
        (lambda p, z, y: good(p, z, y).float(), "must be a scalar tensor of torch.float64"),
        (lambda p, z, y: good(p, z, y) / 0, "is not finite"),
        (lambda p, z, y: good(p, z, y) * len(z), "the mean of its single examples"),
        (lambda p, z, y: good(p, z.detach(), y), "cannot be differentiated"),
        (lambda p, z, y: good(p, Uphill.apply(z), y), "rises along the negative"),
        (noisy, "draws nothing at random"),
        (changing, "changes its arguments|two calls"),
        (looking, "declare stacks=False"),
    ],
)
def test_a_loss_that_breaks_the_contract(mean: Any, message: str) -> None:
    refused(Loss(name="mine", summary="Mine", mean=mean, stacks=mean is looking), message)


def test_a_good_loss_and_one_that_does_not_stack_pass() -> None:
    check_component(Loss(name="mine", summary="Mine", mean=good))
    check_component(Loss(name="mine", summary="Mine", mean=looking, stacks=False))


def test_targets_that_there_are_none_of() -> None:
    with pytest.raises(InvalidComponentError, match="must be a tuple of 'classes' and 'numbers'"):
        Loss(name="mine", summary="Mine", mean=good, targets=("words",))  # type: ignore[arg-type]


def descent(_params: Any, weights: Any, rate: float, decay: float) -> Any:
    return torch.optim.SGD(weights.values(), lr=rate, weight_decay=decay)


def ascent(_params: Any, weights: Any, rate: float, decay: float) -> Any:
    return torch.optim.SGD(weights.values(), lr=rate, weight_decay=decay, maximize=True)


def some(_params: Any, weights: Any, rate: float, decay: float) -> Any:
    return torch.optim.SGD(list(weights.values())[:2], lr=rate, weight_decay=decay)


class Forgetful(torch.optim.Adam):
    def state_dict(self) -> Any:
        return {**super().state_dict(), "state": {}}


class Restless(torch.optim.SGD):
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        super().step()
        with torch.no_grad():
            for group in self.param_groups:
                for weight in group["params"]:
                    weight.sub_(1e-3 * weight.sign())


class ByTensor(torch.optim.SGD):
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad /= weight.grad.norm()
        super().step()


def of(kind: Any) -> Any:
    return lambda _params, weights, rate, decay: kind(weights.values(), lr=rate, weight_decay=decay)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (ascent, "do not lower a quadratic loss"),
        (some, "hold 19 numbers of the network's 91"),
        (lambda p, w, rate, decay: torch.optim.Rprop(w.values(), lr=rate), "must have weight_decay"),
        (of(Forgetful), "must be in there"),
        (of(Restless), "with `lr` 0 in each group"),
        (of(ByTensor), "declare elementwise=False"),
    ],
)
def test_an_optimiser_that_breaks_the_contract(build: Any, message: str) -> None:
    refused(Optimizer(name="mine", summary="Mine", build=build), message)


def test_good_optimisers_pass() -> None:
    check_component(Optimizer(name="mine", summary="Mine", build=descent))
    check_component(Optimizer(name="mine", summary="Mine", build=of(ByTensor), elementwise=False))


COUNT = iter(range(10**9))


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (lambda p, step, steps: "1", "must be a finite number"),
        (lambda p, step, steps: 1.0 - step, "not below zero"),
        (lambda p, step, steps: 0.0, "nothing would be learnt"),
        (lambda p, step, steps: float(1 + next(COUNT)), "another when it is asked again"),
        (lambda p, step, steps: 1.0 / steps, "needs_length=False says that it does not"),
    ],
)
def test_a_schedule_that_breaks_the_contract(factor: Any, message: str) -> None:
    refused(Schedule(name="mine", summary="Mine", factor=factor, needs_length=False), message)
