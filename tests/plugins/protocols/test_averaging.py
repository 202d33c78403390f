"""Weights, resampling, lines through optima, and the average over choices."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from normlaw_plugins.protocols.averaging import Averaged, delta_interval
from normlaw_plugins.protocols.line_scan import line_scan
from normlaw_plugins.protocols.resampling import multiplicities
from normlaw_plugins.protocols.weights import information_weights
from normlaw_registry import Estimate


def test_weights_are_akaike_weights():
    weights = information_weights(np.array([[[10.0, 12.0], [np.inf, np.nan]]]))
    first = 1 / (1 + np.exp(-1))
    assert weights[0].ravel() == pytest.approx([first, 1 - first, 0, 0])
    assert information_weights(np.array([[1e6, 1e6 + 2]]))[0, 0] == pytest.approx(first)
    assert information_weights(np.full((1, 2), np.inf)).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_resampling_gives_the_unbiased_variance_of_a_mean(seeds):
    """Rao and Wu: over draws, the variance of a size's mean is s^2/n, also for two seeds."""
    rng = np.random.default_rng(1)
    value = rng.normal(size=seeds * 2)
    size_of = np.repeat([0, 1], seeds)
    weight = multiplicities(size_of, 40_000, 0)
    assert (weight[0] == 1).all()
    means = (weight[1:, :seeds] * value[:seeds]).sum(axis=1) / seeds
    assert means.mean() == pytest.approx(value[:seeds].mean(), abs=0.02)
    assert means.var() == pytest.approx(value[:seeds].var(ddof=1) / seeds, rel=0.05)


def test_single_runs_are_drawn_from_the_whole_study():
    weight = multiplicities(np.arange(6), 50, 0)
    assert (weight.sum(axis=1) == 6).all()
    assert (weight[1:] == 0).any()


def test_line_scan_is_statsmodels():
    rng = np.random.default_rng(2)
    sizes = np.log([100, 200, 400, 800, 1600])
    size_of = np.repeat(np.arange(5), 4)
    value = 0.8 * sizes[size_of] + 0.1 * rng.normal(size=20)
    weight = np.vstack([np.ones(20), rng.integers(0, 3, 20)])
    scan = line_scan(value, size_of, sizes, weight)
    for draw in (0, 1):
        for first in (0, 1):
            some = size_of >= first
            fit = sm.WLS(value[some], sm.add_constant(sizes[size_of][some]), weights=weight[draw][some]).fit()
            assert scan.slope[draw, first] == pytest.approx(fit.params[1], rel=1e-9)
    # chi^2 of the sizes' means about the line, by hand, for the study itself
    means = value.reshape(5, 4).mean(axis=1)
    pooled = ((value - means[size_of]) ** 2).sum() / 15
    line = np.polyval(np.polyfit(sizes, means, 1), sizes)
    assert scan.criterion[0, 0] == pytest.approx((4 * (means - line) ** 2).sum() / pooled + 4)
    assert scan.criterion[0, 1] - scan.criterion[0, 0] < 2 + 1e-9 + 4  # one size cut costs 2
    assert np.isinf(scan.criterion[0, 2])  # three sizes left where four are wanted


def test_spread_that_runs_explain_is_no_window_error():
    """Two choices whose difference is their own scatter leave no window error; a constant gap does."""
    rng = np.random.default_rng(3)
    weight = np.full((5001, 2), 0.5)
    common = rng.normal(size=(5001, 1))
    scatter = np.hstack([common, common + rng.normal(size=(5001, 1))])
    scatter[0] = [0.0, 0.5]
    assert Averaged.of(scatter, weight).window == 0.0
    gap = np.hstack([common, common + 2.0])
    gap[0] = [0.0, 2.0]
    averaged = Averaged.of(gap, weight)
    assert averaged.window == pytest.approx(1.0)
    estimate = averaged.estimate(0.95, 1000)
    assert estimate.value == 1.0
    assert estimate.statistical == pytest.approx(1.0, rel=0.05)
    assert estimate.stderr == pytest.approx(np.sqrt(2), rel=0.05)
    assert estimate.high - estimate.value == pytest.approx(1.962 * estimate.stderr, rel=1e-3)


def test_delta_interval_of_a_product():
    a = Estimate(value=0.5, stderr=0.03, low=0, high=0)
    b = Estimate(value=2.0, stderr=0.16, low=0, high=0)
    low, high = delta_interval(a, b, 0.95)
    assert (low + high) / 2 == pytest.approx(1.0)
    assert (high - low) / 2 == pytest.approx(1.959964 * 0.1)
