"""The callbacks of a run: told of each optimiser step, asked at each measuring point, kept in checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from torch import Tensor, nn

from normlaw.training.chosen import Chosen
from normlaw_registry import Callback, Follower, NormlawError, OptimizerStep, RunContext, RunPoint
from normlaw_registry.component import NAME_RULE

T = TypeVar("T")
STORABLE = (int, float, str, bool, type(None))
"""What a state may hold besides tensors, lists and mappings: a checkpoint is read without running code."""


@dataclass(frozen=True)
class _Started:
    callback: Callback
    follower: Follower


class Following:
    """The followers of one run, in the order of its specification.

    Args:
        chosen: the callbacks with their parameters.
        run: what they are started on: the network as it was initialised.

    Raises:
        NormlawError: a callback refuses the run, or failed; names it.

    """

    def __init__(self, chosen: Sequence[Chosen], run: RunContext) -> None:
        self._network = run.network
        self._started = [_Started(callback, self._start(callback, params, run)) for callback, params in chosen]
        self._before = [one for one in self._started if _overridden(one.follower, "before_step")]
        self._after = [one for one in self._started if _overridden(one.follower, "after_step")]

    def _start(self, callback: Callback, params: Any, run: RunContext) -> Follower:
        follower = self._told(callback, "start", partial(callback.start, params, run))
        if not isinstance(follower, Follower):
            raise NormlawError(
                f"callback {callback.name!r} started {type(follower).__name__}; it must return a Follower"
            )
        return follower

    @property
    def followers(self) -> Mapping[str, Follower]:
        """Each callback's follower, by the callback's name."""
        return {one.callback.name: one.follower for one in self._started}

    def before(self, step: OptimizerStep) -> None:
        """Tell of a step whose update is not made yet."""
        for one in self._before:
            self._told(one.callback, f"step {step.number}", partial(one.follower.before_step, step))

    def after(self, step: OptimizerStep) -> None:
        """Tell of a step whose update has been made."""
        for one in self._after:
            self._told(one.callback, f"step {step.number}", partial(one.follower.after_step, step))

    def at_point(self, point: RunPoint) -> dict[str, float]:
        """Return what the followers log at a measuring point, by the names that curves have it under.

        Raises:
            NormlawError: a callback failed, or gave what is no finite number or has no good name; names it.

        """
        found: dict[str, float] = {}
        for one in self._started:
            name = one.callback.name
            numbers = self._told(one.callback, f"step {point.step}", partial(one.follower.at_point, point))
            for key, value in numbers.items():
                if not isinstance(key, str) or not NAME_RULE.fullmatch(key) or not _is_finite(value):
                    raise NormlawError(
                        f"callback {name!r} gave {key!r}: {value!r} at step {point.step}; it must give finite "
                        "numbers, named by lower-case words joined by underscores"
                    )
                found[metric(name, key)] = float(value)
        return found

    def at_end(self) -> None:
        """Tell that the run has come to its end."""
        for one in self._started:
            self._told(one.callback, "the end", one.follower.at_end)

    def state_dict(self) -> dict[str, Any]:
        """Return the followers' states by the callbacks' names.

        Raises:
            NormlawError: a state holds what no checkpoint can; names the callback.

        """
        states = {}
        for one in self._started:
            state = self._told(one.callback, "the checkpoint", one.follower.state_dict)
            states[one.callback.name] = _storable(state, one.callback.name)
        return states

    def load_state_dict(self, states: Mapping[str, Any]) -> None:
        """Take over the states of followers of the same callbacks."""
        for one in self._started:
            state = states[one.callback.name]
            self._told(one.callback, "the checkpoint", partial(one.follower.load_state_dict, state))

    def _told(self, callback: Callback, where: str, call: Callable[[], T]) -> T:
        """Return what a follower answers; it may change the network only where its callback says so."""
        before = None if callback.changes_training else _versions(self._network)
        try:
            answer = call()
        except NormlawError:
            raise
        except Exception as error:  # a plugin's own code may fail in any way
            raise NormlawError(
                f"callback {callback.name!r} failed at {where}: {type(error).__name__}: {error}"
            ) from error
        if before is not None and before != _versions(self._network):
            raise NormlawError(
                f"callback {callback.name!r} changed the network or its gradients at {where}, and does not say "
                "so: Callback(..., changes_training=True) makes it a part of what a run is"
            )
        return answer


def metric(callback: str, name: str) -> str:
    """Return what curves and MLflow call a number that a callback gives."""
    return f"callback/{callback}/{name}"


def _overridden(follower: Follower, method: str) -> bool:
    return getattr(type(follower), method) is not getattr(Follower, method)


def _versions(network: nn.Module) -> tuple[object, ...]:
    """Return what tells whether a weight, a buffer or a gradient was written to, or the mode was changed.

    torch counts for each tensor how often it was written to in place; the values are not looked at.
    """
    parameters = list(network.parameters())
    gradients = [p.grad for p in parameters]
    return (
        network.training,
        *(p._version for p in parameters),
        *(b._version for b in network.buffers()),
        *((id(g), g._version) for g in gradients if g is not None),
    )


def _is_finite(value: object) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)


def _storable(state: Any, name: str) -> Any:
    """Return a state with plain containers. Raises NormlawError where it holds something else."""
    if isinstance(state, Tensor) or type(state) in STORABLE:
        return state
    if isinstance(state, Mapping):
        return {_storable(key, name): _storable(value, name) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return [_storable(part, name) for part in state]
    raise NormlawError(
        f"callback {name!r}: its state holds a {type(state).__name__}; give tensors, numbers, text, and lists "
        "and dicts of these"
    )
