"""Synthetic studies that a plan is followed in, beside more seeds of every size for the same budget."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from normlaw.analysis import Options, analyse
from normlaw.analysis.planning.design import evenly, new_sizes
from normlaw.analysis.planning.plan import fitted, outlooks
from normlaw_registry import Estimate, load_catalogue
from normlaw_tests.law_families import World, draw, truth_of, world_of

FIRST_NEW = 1000
"""Seed of the first further run, which no run at hand has."""


def seconds(size: int, longer: float, denser: float) -> float:
    """Return what a run takes: its steps are those of epochs, its evaluations cost as much at P = 1000."""
    return size / 1000 * longer + denser


def followed(family: str, number: int, every: int = 1) -> dict[str, float]:
    """Return the widths of gamma_pred's interval before, after the plan and after more seeds alike.

    With those foretold, and whether the interval after the plan holds the truth. `every`: of the points of each
    curve one in so many is kept, which takes less time.
    """
    catalogue = load_catalogue()
    world, _ = world_of(family, number)
    curves = thinned(draw(family, number)[0], every)
    there = [int(size) for size in world.sizes]
    model = fitted(curves, catalogue, Options(), seconds, new_sizes(there, 1, 10**9))
    budget = sum(seconds(size, 1.0, 1.0) for size in there)
    (outlook,) = outlooks([model], 0.95, budget)
    (even,) = evenly([model.setting], budget)
    found: dict[str, float] = {"before": width(outlook.now)}
    for name, added, foretold in (("plan", outlook.added, outlook.foretold), ("even", even, outlook.evenly)):
        new = thinned(further(world, number, added), every)
        whole = pd.concat([curves, new], ignore_index=True)
        after = analyse(whole, catalogue, Options()).gamma_pred
        truth = truth_of(world, np.array(sorted({*there, *added}))).gamma_pred
        found |= {name: width(after), f"{name}_foretold": width(foretold)}
        found[f"{name}_covered"] = float(after.low <= truth <= after.high)
    return found


def thinned(curves: pd.DataFrame, every: int) -> pd.DataFrame:
    """Return one point in so many of each curve."""
    return curves[curves.groupby("run").cumcount() % every == 0]


def further(world: World, number: int, added: Mapping[int, int]) -> pd.DataFrame:
    """Return the curves of further runs, by train size."""
    size = np.repeat(list(added), list(added.values())).astype(np.int64)
    seed = np.concatenate([FIRST_NEW + np.arange(runs) for runs in added.values()])
    return world.curves(size, seed, np.random.default_rng([number, FIRST_NEW]))


def width(estimate: Estimate) -> float:
    """Return the width of an interval."""
    return estimate.high - estimate.low


def narrowing(table: pd.DataFrame, name: str) -> float:
    """Return the share by which intervals became narrower, all together.

    The width of one study's interval is an estimate, too small before as often as after.
    """
    return float(1 - table[name].sum() / table["before"].sum())
