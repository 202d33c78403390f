"""What every callback must do."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from normlaw_registry.callback import Callback, Follower
from normlaw_registry.component import NAME_RULE, Params
from normlaw_registry.dataset import Task
from normlaw_registry.errors import ComponentError, InputError, InvalidComponentError
from normlaw_registry.testing.followed_run import Followed, LossName, ShortRun, followed, short_run
from normlaw_registry.testing.verdict import require

if TYPE_CHECKING:
    from torch import Tensor, nn

Case = tuple["nn.Module", Task, LossName]


def check_callback(callback: Callback, params: Params, *, cases: Sequence[Case] | None = None) -> None:
    """Follow several short runs: by default of a linear network and multilayer perceptrons, under two losses.

    It may refuse a run by raising `InputError`, but must serve one of them. What it logs must be finite
    numbers by good names, the same in a second run, and the same, to the last bit, when it is interrupted and
    goes on from its state. Unless it declares `changes_training`, weights, gradients, mode and torch's global
    generator must be as they were after each call.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        given = default_cases() if cases is None else cases
        served = [_check_on(callback, params, case) for case in given]
    require(
        callback,
        any(served),
        "it serves none of the runs: give check_component(..., cases=[(network, task, loss)]) one that it does",
    )


def default_cases() -> list[Case]:
    """Return networks, each with the task that it is built for and the name of a loss."""
    from torch import nn

    two, three = Task(input_shape=(6,), num_classes=2), Task(input_shape=(6,), num_classes=3)
    return [
        (nn.Sequential(nn.Flatten(), nn.Linear(6, 1, bias=False)), two, "mse"),
        (nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1)), two, "cross_entropy"),
        (nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)), three, "mse"),
    ]


def _check_on(callback: Callback, params: Params, case: Case) -> bool:
    import torch

    untold = [] if callback.changes_training else _weights_without(case)
    run = _run(case)
    looking = _Looking(callback, run.network)
    try:
        once = followed(callback, params, run, told=looking)
    except ComponentError:
        raise
    except InputError:
        return False
    _check_metrics(callback, once.metrics)
    if not callback.changes_training:
        same = all(torch.equal(a, b) for a, b in zip(untold, run.network.parameters(), strict=True))
        require(callback, same, CHANGED.format("the training"))
    again = followed(callback, params, _run(case))
    _require_same(
        callback,
        once,
        again,
        "two runs of the same bits are told differently ({}): start from what the run gives, and draw from a "
        "generator with a fixed seed",
    )
    for place in (0, len(once.metrics) // 2):
        run = _run(case)
        try:
            gone_on = followed(callback, params, run, interrupted_at=max(1, place))
        except (ComponentError, InputError):
            raise
        except Exception as error:
            raise InvalidComponentError(
                f"callback {callback.name!r}: it cannot be gone on with from its `state_dict()`: "
                f"{type(error).__name__}: {error}: give tensors, numbers, text, and lists and dicts of these"
            ) from error
        _require_same(
            callback,
            once,
            gone_on,
            "a run that is interrupted and gone on with is told differently ({}): put all that later answers "
            "depend on into `state_dict`, and take it over in `load_state_dict`",
        )
    return True


CHANGED = (
    "it changes {}: work on copies, under torch.no_grad(), or declare Callback(..., changes_training=True), "
    "which makes it a part of what a run is"
)


def _run(case: Case) -> ShortRun:
    network, task, loss = case
    return short_run(copy.deepcopy(network), task, loss=loss)


def _weights_without(case: Case) -> list[Tensor]:
    run = _run(case)
    followed(
        Callback(name="nobody", summary="Looks at nothing", start=lambda params, run: Follower()), Params(), run
    )
    return list(run.network.parameters())


class _Looking:
    """Carries a follower's calls out, and compares what it may not change before and after."""

    def __init__(self, callback: Callback, network: nn.Module) -> None:
        self._callback, self._network = callback, network

    def __call__(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        import torch

        before = _state(self._network)
        answer = function(*arguments)
        if name == "start":
            what = type(answer).__name__
            require(
                self._callback,
                isinstance(answer, Follower),
                f"`start` must return a Follower, got {what}: derive from normlaw_registry.Follower",
            )
        if self._callback.changes_training:
            return answer
        for what, one, other in zip(
            ("the weights", "the gradients", "torch's generator", "the mode of the network"),
            before,
            _state(self._network),
            strict=True,
        ):
            same = len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
            require(self._callback, same, f"`{name}`: " + CHANGED.format(what))
        return answer


def _state(network: nn.Module) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
    import torch

    weights = [value.detach().clone() for value in network.state_dict().values()]
    gradients = [weight.grad.clone() for weight in network.parameters() if weight.grad is not None]
    mode = torch.tensor([module.training for module in network.modules()])
    return weights, gradients, [torch.get_rng_state()], [mode]


def _check_metrics(callback: Callback, points: Sequence[Mapping[str, float]]) -> None:
    for metrics in points:
        require(
            callback,
            isinstance(metrics, Mapping),
            f"`at_point` must return numbers by name, got {type(metrics).__name__}",
        )
        for name, value in metrics.items():
            require(
                callback,
                isinstance(name, str) and NAME_RULE.fullmatch(name),
                f"`at_point` names a number {name!r}: write lower-case words joined by underscores",
            )
            require(
                callback,
                isinstance(value, float | int) and math.isfinite(value),
                f"`at_point` gives {name}={value!r}: give finite numbers, and leave out what has no value",
            )


def _require_same(callback: Callback, one: Followed, other: Followed, broken: str) -> None:
    for step, (before, after) in enumerate(zip(one.metrics, other.metrics, strict=True)):
        if before != after:
            require(callback, False, broken.format(f"step {step}: {dict(before)} and {dict(after)}"))
