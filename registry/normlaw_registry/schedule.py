"""Schedules: the learning rate over a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic

from normlaw_registry.component import Component, P


@dataclass(frozen=True, kw_only=True, eq=False)
class Schedule(Component[P], Generic[P]):
    """A schedule. `factor(params, step, steps)` is what the learning rate is multiplied with.

    It depends on its arguments alone, so that a resumed run goes on as it would have; it is finite and not
    negative. The platform does the warm-up, if there is one, and counts from its end.
    """

    kind: ClassVar[str] = "schedule"
    functions: ClassVar[tuple[str, ...]] = ("factor",)

    factor: Callable[[P, int, int], float]
    """(params, step, steps) -> factor of the update that leads from `step` to `step + 1`, of `steps` in all
    after the warm-up; `steps` is at least 1, and `step` may exceed it where a run is warm-up alone."""
    needs_length: bool = True
    """Whether the factor depends on `steps`; if not, runs of different lengths can train as one."""
