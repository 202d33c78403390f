"""The design: further runs chosen one after another, each time what narrows most for its cost.

Greedy design by marginal gain for cost, for a criterion that is one exponent's variance: c-optimality (Chaloner
and Verdinelli 1995, Statistical Science 10, 273). Greedy choice under a budget has a guarantee where gains
diminish (Khuller, Moss and Naor 1999, Information Processing Letters 70, 39), as here they nearly do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from normlaw_registry import Estimate, PlannedRuns

if TYPE_CHECKING:
    from normlaw_registry.findings import Foresee


TARGET = "gamma_pred"
"""Whose interval is to be narrowed."""
FEWEST = 2
"""Runs of a new train size: of one alone nobody can say what is the run's and what is the size's."""
PORTION = 0.05
"""Of the budget that one choice may spend, where runs are cheap."""


@dataclass(frozen=True)
class Candidate:
    """Runs of one train size that may be trained."""

    train_size: int
    log_norms: tuple[float, ...]
    seconds: float
    """Core-seconds of one run."""
    measured: int
    """Runs of the size that are there."""

    def planned(self, runs: int) -> PlannedRuns:
        """Return so many further runs."""
        return PlannedRuns(train_size=self.train_size, log_norms=self.log_norms, runs=runs)


@dataclass(frozen=True)
class Setting:
    """One fitted model, with what may be trained for it."""

    foresee: Foresee
    candidates: Sequence[Candidate]

    def estimate(self, added: Mapping[int, int]) -> Estimate:
        """Return the exponent with the interval foretold; `added` runs by train size."""
        by_size = {one.train_size: one for one in self.candidates}
        return self.foresee([by_size[size].planned(n) for size, n in added.items()], False)[TARGET]

    def seconds(self, added: Mapping[int, int]) -> float:
        """Return what such runs cost."""
        return sum(one.seconds * added.get(one.train_size, 0) for one in self.candidates)

    def half_width(self, added: Mapping[int, int]) -> float:
        """Return half the interval foretold."""
        return half_width_of(self.estimate(added))

    def even(self, seeds: int) -> dict[int, int]:
        """Return so many more runs of each size that is there."""
        return {one.train_size: seeds for one in self.candidates if one.measured} if seeds else {}


@dataclass
class _State:
    setting: Setting
    added: Counter[int] = field(default_factory=Counter)
    now: float = 0.0

    def moves(self, budget: float, left: float) -> Iterator[tuple[float, Counter[int], float, float]]:
        """Yield (gain of ln half-width a second, runs then, half-width then, cost) of all that can be paid."""
        for one in self.setting.candidates:
            least = 1 if one.measured or self.added[one.train_size] else FEWEST
            runs = max(least, int(PORTION * budget / one.seconds))
            if runs * one.seconds > left:
                runs = least
            if runs * one.seconds > left:
                continue
            then = self.added.copy()
            then[one.train_size] += runs
            half = self.setting.half_width(then)
            yield float(np.log(self.now / half)) / (runs * one.seconds), then, half, runs * one.seconds


def design(settings: Sequence[Setting], budget: float) -> list[Counter[int]]:
    """Return the further runs of each setting by train size, for a budget of core-seconds.

    The criterion is the sum over settings of ln half-width. Where the same budget, spent on more seeds of each
    size evenly, is foretold to narrow more, that is returned.
    """
    states = [_State(one, now=one.half_width({})) for one in settings]
    left = budget
    while True:
        moves = [(move, state) for state in states for move in state.moves(budget, left)]
        best = max(moves, key=lambda found: found[0][0], default=None)
        if best is None or best[0][0] <= 0:
            break
        (_, then, half, cost), state = best
        state.added, state.now = then, half
        left -= cost
    chosen = [state.added for state in states]
    even = evenly(settings, budget)
    return min((chosen, even), key=lambda added: log_width(settings, added))


def evenly(settings: Sequence[Setting], budget: float) -> list[Counter[int]]:
    """Return more seeds, as many of each size that is there as the budget pays for."""
    once = sum(one.seconds(one.even(1)) for one in settings)
    return [Counter(one.even(int(budget / once))) for one in settings]


def log_width(settings: Iterable[Setting], added: Iterable[Mapping[int, int]]) -> float:
    """Return the sum over settings of the ln half-width foretold."""
    return sum(float(np.log(one.half_width(runs))) for one, runs in zip(settings, added, strict=True))


def half_width_of(estimate: Estimate) -> float:
    """Return half the interval of an estimate."""
    return (estimate.high - estimate.low) / 2


def new_sizes(measured: Sequence[int], least: int, most: int) -> list[int]:
    """Return train sizes that may be added: between those there are, and a factor of 2 beyond.

    Farther, neither the laws nor the norms that runs go through have been seen.

    >>> new_sizes([100, 400, 1600], 1, 2000)
    [50, 200, 800]
    """
    sizes = sorted(measured)
    between = [round(float(np.sqrt(one * two))) for one, two in pairwise(sizes)]
    found = {sizes[0] // 2, *between, 2 * sizes[-1]}
    return sorted(size for size in found - set(sizes) if least <= size <= most)
