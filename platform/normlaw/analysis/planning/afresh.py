"""The whole study trained again, longer or with more measuring points: what that would tell, and cost.

The runs of one law are alike in all but train size and seed. Runs that are longer, or measured more often, are
those of another setting, so that such a plan stands in the place of the runs that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from normlaw.analysis.planning.design import FEWEST, TARGET
from normlaw.analysis.planning.paths import Paths
from normlaw_registry import Estimate, PlannedRuns

if TYPE_CHECKING:
    from normlaw_registry.findings import Foresee


Change = Literal["longer", "denser"]
FACTORS: Mapping[Change, tuple[float, ...]] = {"longer": (2.0, 4.0), "denser": (2.0,)}
"""How many times as long, or with how many times as many measuring points."""

Seconds = Callable[[int, float, float], float]
"""(train size, times as long, times as many points) -> core-seconds of a run."""


@dataclass(frozen=True)
class Afresh:
    """One way of training the whole study again."""

    change: Change
    factor: float
    runs: Mapping[int, int]
    """By train size."""
    seconds: float
    """Core-seconds of all of them."""
    estimate: Estimate
    """The exponent with the interval foretold."""

    @property
    def told(self) -> str:
        """What is done, for a table."""
        what = "longer" if self.change == "longer" else "as many points"
        return f"all runs again, {self.factor:g} x {what}"


def ways(
    foresee: Foresee,
    paths: Paths,
    seconds: Seconds,
    measured: Mapping[int, int],
    changes: tuple[Change, ...],
    budget: float | None = None,
) -> Iterator[Afresh]:
    """Yield the ways of training a study again; within a budget of core-seconds, with as many seeds as it pays.

    Args:
        foresee: the fitted model's.
        paths: the norms that its runs go through.
        seconds: what a run costs.
        measured: the runs that there are, by train size.
        changes: what can be changed.
        budget: None: as many runs as there are.

    """
    for change in changes:
        for factor in FACTORS[change]:
            more = (factor, 1.0) if change == "longer" else (1.0, factor)
            each = {size: seconds(size, *more) for size in measured}
            runs = dict(measured)
            if budget is not None:
                runs = dict.fromkeys(measured, int(budget / sum(each.values())))
            if min(runs.values()) < min(FEWEST, *measured.values()):
                continue
            planned = [
                PlannedRuns(train_size=size, log_norms=paths.of(size, *more), runs=n)
                for size, n in runs.items()
            ]
            cost = sum(each[size] * n for size, n in runs.items())
            yield Afresh(change, factor, runs, cost, foresee(planned, True)[TARGET])
