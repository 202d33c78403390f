"""The sums over bins against statsmodels, one regression at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from normlaw_plugins.protocols.early_scan import CORRECTIONS, MIN_POINTS, early_scan
from normlaw_registry import InputError
from normlaw_registry.curves.noise import noise_variance


@pytest.fixture(scope="module")
def points(make_study):
    study = make_study(sizes=(1000, 2000, 4000, 8000, 16000), seeds=3, points=40)
    study["run_index"] = pd.factorize(study["run"])[0]
    return study.assign(log_error=np.log(study["test_error"]))


@pytest.fixture(scope="module")
def optimum(points):
    sizes = np.unique(points["train_size"])
    return pd.Series(10 + np.log(sizes / sizes[0]), index=sizes)


@pytest.fixture(scope="module")
def own(points, optimum):
    """Give each run an optimum of its own, a little off that of its size."""
    sizes = points.groupby("run_index")["train_size"].first()
    return sizes.map(optimum).to_numpy() + np.linspace(-0.1, 0.1, len(sizes))


@pytest.fixture(scope="module")
def weights(points):
    rng = np.random.default_rng(4)
    runs = points["run_index"].nunique()
    return np.vstack([np.ones(runs), rng.integers(0, 3, runs)])


@pytest.fixture(scope="module")
def scan(points, optimum, own, weights):
    return early_scan(points, optimum, own, weights)


def regression(points, optimum, own, scan, window, first, shape, run_weights, levels):
    """Fit one window with statsmodels, from the points themselves; also return what N_cut counts."""
    relative = points["log_norm"] - points["train_size"].map(optimum)
    curve = points.assign(relative=relative)[relative <= 0]
    top = curve.groupby("run")["log_error"].transform("first")
    least = curve.groupby("run")["log_error"].transform("min")
    begun = curve["log_error"] <= top - 0.05 * (top - least)
    onset = curve[begun].groupby("run")["relative"].min()
    curve = curve[curve["relative"] >= curve["run"].map(onset)]
    low, high = scan.low[window], scan.high[window]
    inside = curve[(curve["relative"] >= low - 1e-12) & (curve["relative"] <= high + 1e-12)]
    if high < 0:
        inside = inside[inside["relative"] < high - 1e-12]
    rich = [
        size
        for size, own_points in inside.groupby("train_size")
        if len(own_points) / curve[curve["train_size"] == size]["run"].nunique() >= MIN_POINTS
    ]
    used = inside[(inside["train_size"] >= scan.first_sizes[first]) & inside["train_size"].isin(rich)]
    X = {"x": used["relative"]}
    if shape:
        from_own = np.minimum(used["log_norm"] - own[used["run_index"]], 0)
        X["bend"] = np.exp(CORRECTIONS[shape - 1] * from_own / -curve["relative"].min())
    for level in used[levels].unique():
        if run_weights[used["run_index"][used[levels] == level]].any():
            X[f"level {level}"] = (used[levels] == level) * 1.0
    weight = run_weights[used["run_index"]]
    return sm.WLS(used["log_error"], pd.DataFrame(X), weights=weight).fit(), curve, used


@pytest.mark.parametrize("draw", [0, 1])
@pytest.mark.parametrize("shape", [0, 3])
@pytest.mark.parametrize("window", [5, 60])
@pytest.mark.parametrize("first", [0, 1])
def test_every_number_is_statsmodels(points, optimum, own, weights, scan, draw, shape, window, first):
    if not np.isfinite(scan.criterion[draw, window, first, shape]):
        pytest.skip("this choice is not admissible")
    arguments = (points, optimum, own, scan, window, first, shape, weights[draw])
    by_size, curve, used = regression(*arguments, "train_size")
    assert scan.gamma_1[draw, window, first, shape] == pytest.approx(-by_size.params["x"], rel=1e-7)

    by_run, _, _ = regression(*arguments, "run")
    count = weights[draw][curve["run_index"]].sum(), weights[draw][used["run_index"]].sum()
    runs = weights[draw][used["run_index"].unique()].sum()
    relative = (curve["log_norm"] - curve["train_size"].map(optimum)).to_numpy()
    variance = noise_variance(relative, curve["log_error"].to_numpy(), curve["run_index"].to_numpy())
    chi = float((weights[draw][used["run_index"]] * by_run.resid**2).sum()) / variance
    expected = chi + 2 * (runs + 1 + (shape > 0)) + 2 * (count[0] - count[1])
    assert scan.criterion[draw, window, first, shape] == pytest.approx(expected, rel=1e-6)
    assert scan.points[window, first] == len(used)


def test_some_of_these_were_admissible(scan):
    assert np.isfinite(scan.criterion[0][np.ix_([5, 60], [0, 1], [0, 3])]).sum() >= 4


def test_nothing_before_the_optimum_is_refused(points, optimum, own, weights):
    with pytest.raises(InputError, match="measure more often early in training"):
        early_scan(points, optimum - 20, own - 20, weights)


def test_noise_of_neighbours():
    """A straight law cancels; the variance of white noise is found on an uneven grid."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 10, (200, 30)), axis=1)
    y = 3 - 2 * x + 0.05 * rng.normal(size=x.shape)
    run = np.repeat(np.arange(200), 30)
    assert noise_variance(x.ravel(), y.ravel(), run) == pytest.approx(0.05**2, rel=0.05)
    assert noise_variance(x.ravel(), (3 - 2 * x).ravel(), run) < 1e-15
