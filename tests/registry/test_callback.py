"""The battery finds what a callback may not do, and a norm takes no callback that it could not have."""

import math
import re
from collections.abc import Callable as Function
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from normlaw_registry import (
    Callback,
    ComplexityMeasure,
    Follower,
    InputError,
    InvalidComponentError,
    MeasuredValue,
    NormlawError,
    Params,
)
from normlaw_registry.testing import check_component, followed, short_run
from normlaw_registry.testing.callback import default_cases

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "callbacks.md"


class Counting(Follower):
    """Counts steps; what a subclass does besides is what the battery should find."""

    def __init__(self, run: Any) -> None:
        self.run, self.count = run, 0

    def after_step(self, step: Any) -> None:
        self.count += 1

    def at_point(self, point: Any) -> dict[str, float]:
        return {"steps": self.count}

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count}

    def load_state_dict(self, state: Any) -> None:
        self.count = state["count"]


def callback(follower: Function[[Any], Any], **fields: Any) -> Callback:
    return Callback(name="mine", summary="Counts", start=lambda params, run: follower(run), **fields)


class NoState(Counting):
    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Any) -> None:
        pass


class Unreadable(Counting):
    def state_dict(self) -> dict[str, Any]:
        return {"count": self}


class Moves(Counting):
    def after_step(self, step: Any) -> None:
        with torch.no_grad():
            for weight in self.run.network.parameters():
                weight.mul_(0.99)


class Clips(Counting):
    def before_step(self, step: Any) -> None:
        for weight in self.run.network.parameters():
            weight.grad.clamp_(-1e-3, 1e-3)


class Draws(Counting):
    def after_step(self, step: Any) -> None:
        torch.rand(1)


class Switches(Counting):
    def at_point(self, point: Any) -> dict[str, float]:
        self.run.network.train()
        return {}


class Hurries(Counting):
    """Changes what no tensor shows: the rate."""

    def before_step(self, step: Any) -> None:
        self.run.optimizer.param_groups[0]["lr"] *= 1.5


class Infinite(Counting):
    def at_point(self, point: Any) -> dict[str, float]:
        return {"steps": math.inf}


class BadName(Counting):
    def at_point(self, point: Any) -> dict[str, float]:
        return {"Steps taken": 1.0}


class Unseeded(Counting):
    generator = torch.Generator()

    def at_point(self, point: Any) -> dict[str, float]:
        return {"noise": float(torch.rand(1, generator=self.generator))}


class Refuses(Counting):
    def __init__(self, run: Any) -> None:
        raise InputError("networks of stone only")


@pytest.mark.parametrize(
    ("follower", "said"),
    [
        (lambda run: None, "`start` must return a Follower, got NoneType"),
        (NoState, "interrupted and gone on with is told differently (step 2:"),
        (Unreadable, "cannot be gone on with from its `state_dict()`"),
        (Moves, "`after_step`: it changes the weights"),
        (Clips, "`before_step`: it changes the gradients"),
        (Draws, "`after_step`: it changes torch's generator"),
        (Switches, "`at_point`: it changes the mode"),
        (Hurries, "it changes the training"),
        (Infinite, "steps=inf: give finite numbers"),
        (BadName, "names a number 'Steps taken'"),
        (Unseeded, "two runs of the same bits are told differently"),
        (Refuses, "it serves none of the runs"),
    ],
)
def test_a_breach_is_found(follower: Function[[Any], Any], said: str) -> None:
    with pytest.raises(InvalidComponentError, match="callback 'mine'") as caught:
        check_component(callback(follower))
    assert said in str(caught.value)


@pytest.mark.parametrize("follower", [Moves, Clips, Hurries])
def test_one_that_says_so_may_change_the_training(follower: Function[[Any], Any]) -> None:
    check_component(callback(follower, changes_training=True))


def test_a_short_run_is_told_as_it_goes() -> None:
    network, task, loss = default_cases()[0]
    once = followed(callback(Counting), Params(), short_run(network, task, loss=loss, total_steps=4))
    assert [dict(metrics) for metrics in once.metrics] == [{"steps": n} for n in range(5)]


def test_the_example_of_the_page_keeps_the_contract(fresh_catalogue) -> None:
    found = re.search(r"<!-- example: callback -->\s*```python\n(.+?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    plugin = ModuleType("rises")
    exec(found[1], vars(plugin))
    check_component(fresh_catalogue(plugin).get(Callback, "rises"))


def measure(**fields: Any) -> ComplexityMeasure:
    def take(params: Any, context: Any) -> MeasuredValue:
        if not context.follower.count:
            raise NormlawError("no step yet")
        return MeasuredValue(log_value=math.log(context.follower.count))

    return ComplexityMeasure(name="steps", summary="Steps taken", measure=take, **fields)


class Other(Params):
    size: int = 3


def test_a_norm_reads_the_follower_of_its_callback() -> None:
    check_component(measure(callback=callback(Counting)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"callback": Counting}, "`callback` must be a Callback"),
        ({"callback": callback(Moves, changes_training=True)}, "'mine' changes the training, and a norm"),
        ({"callback": callback(Counting), "params": Other}, "'mine' takes Params: give the norm the same"),
    ],
)
def test_a_norm_refuses_what_could_not_be_started_for_it(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidComponentError, match="complexity_measure 'steps'") as caught:
        measure(**fields)
    assert said in str(caught.value)
