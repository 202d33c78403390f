"""Plans of further runs: a line whose best design is known, costs that were made up, norms on a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis.planning.costs import Costs, Work, core_seconds, costs_of
from normlaw.analysis.planning.design import Candidate, Setting, design, evenly, log_width, new_sizes
from normlaw.analysis.planning.foreseeing import checked
from normlaw.analysis.planning.paths import Paths
from normlaw_registry import (
    AnalysisProtocol,
    Estimate,
    InputError,
    InvalidComponentError,
    NormlawError,
    PlannedRuns,
    load_catalogue,
)
from normlaw_tests.followed_plans import followed, narrowing

MEASURED = {100: 2, 200: 2, 400: 2, 800: 2}


def slope_error(counts: Mapping[int, int]) -> float:
    """Return the standard error of a line's slope in ln P, of unit noise: 1 / sqrt(sum (p - mean)^2)."""
    p = np.log(np.repeat(list(counts), list(counts.values())))
    return float(1 / np.sqrt(((p - p.mean()) ** 2).sum()))


def foresee(planned: Sequence[PlannedRuns], afresh: bool) -> Mapping[str, Estimate]:
    counts = {} if afresh else dict(MEASURED)
    for part in planned:
        counts[part.train_size] = counts.get(part.train_size, 0) + part.runs
    return {"gamma_pred": Estimate.normal(0.5, slope_error(counts), 0.95)}


def a_line(costs: Mapping[int, float]) -> Setting:
    return Setting(
        foresee, [Candidate(size, (0.0, 1.0), cost, MEASURED.get(size, 0)) for size, cost in costs.items()]
    )


def test_the_design_of_a_line_is_nearly_the_best_of_all() -> None:
    costs = {100: 1.0, 200: 2.0, 400: 4.0, 800: 8.0}
    setting, budget = a_line(costs), 16.0
    (found,) = design([setting], budget)
    assert setting.seconds(found) <= budget
    every = product(*(range(int(budget / cost) + 1) for cost in costs.values()))
    paid = [dict(zip(costs, runs, strict=True)) for runs in every]
    paid = [runs for runs in paid if setting.seconds(runs) <= budget]
    best = min(setting.half_width(runs) for runs in paid)
    assert setting.half_width(found) <= 1.05 * best
    assert setting.half_width(found) < setting.half_width(evenly([setting], budget)[0])


def test_a_new_size_gets_two_runs_at_least_and_far_ends_are_worth_most() -> None:
    setting = a_line({50: 1.0, 100: 1.0, 200: 1.0, 400: 1.0, 800: 1.0, 1600: 1.0})
    (found,) = design([setting], 8.0)
    assert set(found) == {50, 1600}
    assert min(found.values()) >= 2
    assert sum(found.values()) == 8


def test_settings_share_a_budget_where_it_brings_most() -> None:
    cheap, dear = a_line({100: 1.0, 800: 1.0}), a_line({100: 50.0, 800: 50.0})
    first, second = design([cheap, dear], 20.0)
    assert sum(first.values()) == 20
    assert not second
    assert log_width([cheap, dear], [first, second]) < log_width([cheap, dear], [{}, {}])


def test_sizes_that_may_be_added() -> None:
    assert new_sizes([100, 400, 1600], 1, 10_000) == [50, 200, 800, 3200]
    assert new_sizes([100, 400], 100, 400) == [200]


def test_costs_are_those_that_runs_were_made_with() -> None:
    made = Costs(of_a_step=0.01, of_an_example=0.0001)
    works = {size: Work(3000, 41 * (size + 800)) for size in (30, 120, 480)}
    measured = {
        size: [(work, made.seconds(work) * factor) for factor in (1.0, 1.0, 30.0)]
        for size, work in works.items()
    }
    found = costs_of(measured)  # one of three lay for a night
    assert found.of_a_step == pytest.approx(made.of_a_step)
    assert found.of_an_example == pytest.approx(made.of_an_example)
    work = Work(100, 1000)
    assert found.seconds(work.with_more(longer=2, denser=3)) == pytest.approx(2 * 1.0 + 3 * 0.1)


def test_runs_under_way_together_share_the_cores() -> None:
    stacked = core_seconds([(0, 12), (0, 12), (0, 12)], 1)
    assert stacked == pytest.approx([4, 4, 4])
    assert core_seconds([(0, 10), (0, 4)], None) == [10, 4]
    assert sum(core_seconds([(0, 10), (2, 6), (5, 10)], 2)) == pytest.approx(2 + 2 * 8)


def paths(sizes: Sequence[int]) -> Paths:
    """Return those of runs whose ln norm is 0.3 ln P + 0.5 ln (1 + step)."""
    steps = np.geomspace(1, 1000, 30)
    frames = [
        pd.DataFrame(
            {
                "run": f"{size}/{k}",
                "train_size": size,
                "step": steps,
                "log_norm": 0.3 * np.log(size) + 0.5 * np.log1p(steps),
            }
        )
        for size in sizes
        for k in range(2)
    ]
    return Paths(pd.concat(frames))


@pytest.mark.parametrize("size", [100, 250, 3200])
def test_a_path_goes_on_beyond_its_sizes_and_steps(size) -> None:
    found = paths([100, 400, 1600])
    assert found.of(size)[-1] == pytest.approx(0.3 * np.log(size) + 0.5 * np.log(1001), abs=1e-6)
    longer = found.of(size, longer=4.0)
    assert longer[-1] == pytest.approx(0.3 * np.log(size) + 0.5 * np.log(4004), abs=1e-3)
    denser = found.of(size, denser=2.0)
    assert len(denser) == 60
    assert denser[-1] == pytest.approx(found.of(size)[-1])
    assert (np.diff(denser) > 0).all()


def test_what_a_protocol_foretells_is_checked() -> None:
    catalogue = load_catalogue()
    name = catalogue.names(AnalysisProtocol)[0]
    with pytest.raises(InputError, match="cannot foretell what further runs"):
        checked(name, None, catalogue)

    def broken(planned: Sequence[PlannedRuns], afresh: bool) -> Mapping[str, Estimate]:
        raise ZeroDivisionError

    with pytest.raises(NormlawError, match="failed to foretell: ZeroDivisionError"):
        checked(name, broken, catalogue)
    with pytest.raises(InvalidComponentError, match="must return estimates by name, with gamma_pred"):
        checked(name, lambda planned, afresh: {}, catalogue)
    endless = Estimate(value=0.5, stderr=float("nan"), low=float("nan"), high=float("nan"))
    with pytest.raises(InputError, match="no interval that further runs could narrow"):
        checked(name, lambda planned, afresh: {"gamma_pred": endless}, catalogue)


@pytest.mark.slow
def test_following_the_plan_narrows_more_than_more_seeds_alike() -> None:
    if "envelope" not in load_catalogue().names(AnalysisProtocol):
        pytest.skip("the protocol that foretells is not installed")
    table = pd.DataFrame([followed("small", 2, every=3)])
    plan, even = narrowing(table, "plan"), narrowing(table, "even")
    assert plan > 0.2
    assert plan >= 1.5 * even
