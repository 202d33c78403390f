"""Differences of exponents against what is known: Welch's test, and estimates from overlapping samples."""

from __future__ import annotations

from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normlaw.analysis.differences import Known, covariance, differences, freedom_of
from normlaw.cli.compare import _lines

LEVEL = 0.9


def mean_of(values: np.ndarray) -> dict[str, float | None]:
    """Return the mean of independent numbers as an estimate, with Student's limits."""
    stderr, n = float(values.std(ddof=1)) / sqrt(len(values)), len(values)
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * stderr
    value = float(values.mean())
    return {"value": value, "stderr": stderr, "low": value - reach, "high": value + reach, "statistical": None}


def known(name: str, values: dict[str, float], with_influence: bool = False) -> Known:
    """Return the analysis whose exponent gamma_1 is the mean of one number a run."""
    numbers = pd.Series(values)
    moved = (numbers - numbers.mean()) / sqrt(len(numbers) * (len(numbers) - 1))
    return Known(
        name=name,
        norm="a",
        response="test_error",
        protocol="mean",
        confidence=LEVEL,
        estimates={"gamma_1": mean_of(numbers.to_numpy())},
        runs=frozenset(values),
        influence=pd.DataFrame({"gamma_1": moved}) if with_influence else None,
    )


def drawn(draws: np.random.Generator, names: range, middle: float = 0.0) -> dict[str, float]:
    return {f"run {i}": float(draws.normal(middle)) for i in names}


def test_runs_apart_are_compared_as_welch_does() -> None:
    draws = np.random.default_rng(2)
    one, two = drawn(draws, range(7)), drawn(draws, range(10, 22), 0.5)
    (row,) = differences([known("a", one)], [known("b", two)], 0.95).to_dict("records")
    welch = stats.ttest_ind(list(one.values()), list(two.values()), equal_var=False)
    limits = welch.confidence_interval(0.95)
    assert row["z"] == pytest.approx(welch.statistic)
    assert row["p"] == pytest.approx(welch.pvalue)
    assert row["freedom"] == pytest.approx(welch.df)
    assert (row["low"], row["high"]) == pytest.approx((limits.low, limits.high))
    assert row["runs_shared"] == 0


@pytest.mark.parametrize("with_influence", [False, True])
@pytest.mark.parametrize("of_two", [range(60), range(20, 80), range(40)])
def test_shared_runs_count_for_the_error(with_influence, of_two) -> None:
    """The mean of 40 numbers and that of others, some of them the same: their covariance is known."""
    draws = np.random.default_rng(3)
    every = draws.normal(size=(300, 80))
    found = np.cov(every[:, :40].mean(1), every[:, list(of_two)].mean(1))[0, 1]
    told = []
    for numbers in every[:60]:
        one, two = (
            known(name, {f"run {i}": float(numbers[i]) for i in runs}, with_influence)
            for name, runs in (("a", range(40)), ("b", of_two))
        )
        told.append(covariance(one, two, "gamma_1"))
    exact = len(set(range(40)) & set(of_two)) / (40 * len(of_two))
    assert found == pytest.approx(exact, rel=0.25)
    assert np.mean(told) == pytest.approx(exact, rel=0.06)


def test_the_same_analysis_does_not_differ_from_itself() -> None:
    one = known("a", drawn(np.random.default_rng(4), range(9)))
    (row,) = differences([one], [one], 0.95).to_dict("records")
    assert (row["difference"], row["z"], row["p"]) == (0.0, 0.0, 1.0)
    assert row["stderr"] == pytest.approx(0.0, abs=1e-8)


def test_what_is_not_the_same_quantity_has_no_known_covariance() -> None:
    values = drawn(np.random.default_rng(5), range(9))
    one = known("a", values)
    assert covariance(one, known("b", values), "gamma_1") > 0
    others = (replace(one, norm="b"), replace(one, response="test_loss"), replace(one, protocol="x"))
    assert [covariance(one, other, "gamma_1") for other in others] == [0.0, 0.0, 0.0]


def test_all_pairs_are_corrected_together() -> None:
    draws = np.random.default_rng(6)
    three = [known(name, drawn(draws, range(k, k + 9))) for name, k in (("a", 0), ("b", 10), ("c", 20))]
    table = differences(three, None, 0.95)
    assert list(zip(table["first"], table["second"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    p = np.sort(table["p"].to_numpy())
    by_hand = np.maximum.accumulate(np.minimum(p * [3, 2, 1], 1))  # Holm 1979
    assert np.sort(table["p_holm"].to_numpy()) == pytest.approx(by_hand)


def test_a_number_that_is_not_known_differs_from_none() -> None:
    one, two = known("a", {"x": 1.0, "y": 2.0}), known("b", {"z": 1.0, "w": 3.0})
    unknown = replace(two, estimates={"gamma_1": dict.fromkeys(two.estimates["gamma_1"])})
    (row,) = differences([one], [unknown], 0.95).to_dict("records")
    assert np.isnan([row["difference"], row["stderr"], row["z"], row["p"], row["p_holm"]]).all()
    shown = _lines(differences([one], [unknown], 0.95), [one, unknown])
    assert shown[4].split() == ["gamma_1", "1.5000", "±", "0.5000", "-", "-", "-", "-"]


@pytest.mark.parametrize("freedom", [1.0, 2.5, 7.0, 300.0, inf])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_degrees_of_freedom_are_read_off_the_limits(freedom, level) -> None:
    reach = float(stats.t.ppf(0.5 + level / 2, freedom)) * 0.3
    limits: dict[str, float | None] = {"value": 1.0, "stderr": 0.3, "low": 1.0 - reach, "high": 1.0 + reach}
    assert freedom_of(limits, level) == pytest.approx(freedom, rel=1e-3)
