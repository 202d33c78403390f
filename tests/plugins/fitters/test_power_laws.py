"""The three line laws against closed forms and against covariances assembled by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from normlaw_registry import LAW_COLUMNS, FitResult, Fitter, InputError, load_catalogue, validate_params


def fit(name, points, **params):
    fitter = load_catalogue().get(Fitter, name)
    return fitter.fit(points, validate_params(fitter, params))


@pytest.fixture
def early_points():
    rng = np.random.default_rng(3)
    rows = []
    for size in (100, 400, 1600):
        for seed in range(3):
            x = rng.uniform(0, 3, 8)
            y = -0.4 * x + np.log(size) / 10 + 0.05 * rng.normal() + 0.02 * rng.normal(size=8)
            rows.append(
                pd.DataFrame({"run": f"{size}/{seed}", "train_size": size, "log_norm": x, "log_error": y})
            )
    return pd.concat(rows, ignore_index=True)[list(LAW_COLUMNS["early_law"])]


def test_shared_slope_is_the_within_size_slope(early_points):
    result = fit("early_power_law", early_points)
    centred = early_points.groupby("train_size")[["log_norm", "log_error"]].transform(lambda c: c - c.mean())
    slope = (centred["log_norm"] * centred["log_error"]).sum() / (centred["log_norm"] ** 2).sum()
    assert result.params["gamma_1"] == pytest.approx(-slope, rel=1e-12)
    assert set(result.params.index) == {"gamma_1", "log_k1[100]", "log_k1[400]", "log_k1[1600]"}


def test_clustered_errors_are_the_sandwich(early_points):
    """The covariance by run, assembled from its definition (Liang and Zeger 1986)."""
    result = fit("early_power_law", early_points)
    sizes = sorted(early_points["train_size"].unique())
    X = np.column_stack([-early_points["log_norm"], *[(early_points["train_size"] == s) * 1.0 for s in sizes]])
    beta = np.linalg.solve(X.T @ X, X.T @ early_points["log_error"])
    e = early_points["log_error"].to_numpy() - X @ beta
    bread = np.linalg.inv(X.T @ X)
    scores = [
        X[run == 1].T @ e[run == 1]
        for run in (early_points["run"].to_numpy() == r for r in early_points["run"].unique())
    ]
    meat = sum(np.outer(s, s) for s in scores)
    g, (n, k) = len(scores), X.shape
    covariance = bread @ meat @ bread * g / (g - 1) * (n - 1) / (n - k)
    assert result.bse["gamma_1"] == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-9)
    assert fit("early_power_law", early_points, errors="ordinary").bse["gamma_1"] != result.bse["gamma_1"]


@pytest.mark.parametrize(
    ("name", "column", "exponent", "sign"),
    [
        ("optimal_norm_power_law", "log_norm", "gamma_2", 1),
        ("endpoint_power_law", "log_error", "gamma_meas", -1),
    ],
)
def test_lines_against_numpy(name, column, exponent, sign):
    rng = np.random.default_rng(1)
    size = np.repeat([100, 200, 400, 800], 3)
    y = 0.7 * np.log(size) + rng.normal(size=12)
    points = pd.DataFrame({"run": np.arange(12).astype(str), "train_size": size, column: y})
    result = fit(name, points, errors="ordinary")
    (slope, level), covariance = np.polyfit(np.log(size), y, 1, cov=True)
    assert result.params[exponent] == pytest.approx(sign * slope, rel=1e-10)
    assert result.bse[exponent] == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-10)
    assert result.predict(points) == pytest.approx(level + slope * np.log(size))
    low, high = result.conf_int().loc[exponent]
    assert low < result.params[exponent] < high


def test_results_keep_the_contract(early_points):
    result = fit("early_power_law", early_points)
    assert isinstance(result, FitResult)
    assert result.nobs == len(early_points)
    assert "gamma_1" in result.summary()
    kept = json.loads(json.dumps(result.to_dict()))
    assert kept["params"]["gamma_1"] == result.params["gamma_1"]
    assert result.predict(early_points).shape == (len(early_points),)


def test_too_little_is_refused(early_points):
    with pytest.raises(InputError, match="at least 5 points, got 4"):
        fit(
            "early_power_law",
            early_points.groupby("train_size").head(2).head(4).assign(train_size=[1, 2, 3, 3]),
        )
    with pytest.raises(InputError, match="too few distinct abscissae"):
        fit("early_power_law", early_points.assign(log_norm=1.0))
    one = early_points[early_points["run"] == "100/0"]
    with pytest.raises(InputError, match="at least 2 runs"):
        fit("early_power_law", one)
    two = pd.DataFrame({"run": ["a", "b"], "train_size": [10, 20], "log_error": [0.0, -1.0]})
    with pytest.raises(InputError, match="at least 3 points, got 2"):
        fit("endpoint_power_law", two)
