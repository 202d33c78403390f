"""Laws that are no line in logarithms: NIST's certified values, recovery of known laws, refusals."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normlaw_registry import FitResult, Fitter, InputError, load_catalogue, validate_params

# NIST Statistical Reference Datasets, nonlinear regression (public domain): data and certified values.
DANWOOD = (
    [1.309, 1.471, 1.490, 1.565, 1.611, 1.680],
    [2.138, 3.421, 3.597, 4.340, 4.882, 5.660],
)
MISRA1A = (
    [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0],
    [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78],
)
BOXBOD = ([1.0, 2.0, 3.0, 5.0, 7.0, 10.0], [109.0, 149.0, 149.0, 191.0, 213.0, 224.0])


def endpoint(data):
    x, y = np.array(data[0]), np.array(data[1])
    return pd.DataFrame({"run": np.arange(len(x)).astype(str), "train_size": x, "log_error": np.log(y)})


def fit(name, points, **params):
    fitter = load_catalogue().get(Fitter, name)
    return fitter.fit(points, validate_params(fitter, params))


def test_power_law_on_danwood():
    """y = b1 x^b2."""
    result = fit("endpoint_floor_power_law", endpoint(DANWOOD), floor=0.0, residuals="error")
    assert np.exp(result.params["log_k"]) == pytest.approx(7.6886226176e-01, rel=1e-7)
    assert -result.params["gamma_meas"] == pytest.approx(3.8604055871e00, rel=1e-7)
    assert result.bse["gamma_meas"] == pytest.approx(5.1726610913e-02, rel=1e-5)
    assert result.bse["log_k"] * np.exp(result.params["log_k"]) == pytest.approx(1.8281973860e-02, rel=1e-5)
    assert result.scatter == pytest.approx(3.2853114039e-02, rel=1e-8)


@pytest.mark.parametrize(
    ("data", "b1", "b1_sd", "b2", "b2_sd", "scale"),
    [
        (MISRA1A, 2.3894212918e02, 2.7070075241, 5.5015643181e-04, 7.2668688436e-06, 1.0187876330e-01),
        (BOXBOD, 2.1380940889e02, 1.2354515176e01, 5.4723748542e-01, 1.0455993237e-01, 1.7088072423e01),
    ],
)
def test_exponential_saturation_on_misra1a_and_boxbod(data, b1, b1_sd, b2, b2_sd, scale):
    """y = b1 (1 - exp(-b2 x)): saturation from zero."""
    result = fit("endpoint_exponential", endpoint(data), error_at_zero=0.0, residuals="error")
    rate = np.exp(-result.params["log_tau"])
    assert result.params["q"] == pytest.approx(b1, rel=1e-7)
    assert result.bse["q"] == pytest.approx(b1_sd, rel=1e-4)
    assert rate == pytest.approx(b2, rel=1e-7)
    assert rate * result.bse["log_tau"] == pytest.approx(b2_sd, rel=1e-4)
    assert result.scatter == pytest.approx(scale, rel=1e-8)


SIZES = np.repeat(np.geomspace(100, 100_000, 10), 3)


def study(error, noise=0.01):
    rng = np.random.default_rng(5)
    log_error = np.log(error) + noise * rng.normal(size=len(error))
    return pd.DataFrame({"run": np.arange(len(error)).astype(str), "train_size": SIZES, "log_error": log_error})


@pytest.mark.parametrize(
    ("name", "error", "gamma", "params"),
    [
        ("endpoint_floor_power_law", 0.05 + 5 * SIZES**-0.5, 0.5, {}),
        ("endpoint_broken_power_law", SIZES**-0.1 * (1 + (SIZES / 3000) ** 2) ** (-0.3 / 2), 0.4, {}),
        ("endpoint_m4", None, 0.5, {"guess_error": 0.9}),
    ],
)
def test_known_exponents_are_recovered(name, error, gamma, params):
    if error is None:  # M4's own curve with a = 1: (eps - q)/(eps_0 - eps) = b P^-gamma
        odds = 20 * SIZES**-0.5
        error = (0.02 + 0.9 * odds) / (1 + odds)
    result = fit(name, study(error), **params)
    assert abs(result.params["gamma_meas"] - gamma) < 3 * result.bse["gamma_meas"]
    assert result.bse["gamma_meas"] < 0.1
    assert isinstance(result, FitResult)
    json.dumps(result.to_dict(), allow_nan=False)
    assert "gamma_meas" in result.summary()
    assert result.predict(study(error)) == pytest.approx(np.log(error), abs=0.03)


def test_a_law_without_floor_is_its_own_limit():
    """Without noise, the law with a floor finds floor 0 and the line's exponent."""
    result = fit("endpoint_floor_power_law", study(3 * SIZES**-0.4, noise=0.0))
    assert result.params["gamma_meas"] == pytest.approx(0.4, abs=1e-4)
    assert result.params["q"] == pytest.approx(0.0, abs=1e-4)


def test_prediction_interval_of_a_line_is_statsmodels():
    """The two ways to a power law agree in logs: estimate, error and prediction interval."""
    points = study(3 * SIZES**-0.4)
    line = fit("endpoint_power_law", points, errors="ordinary")
    curve = fit("endpoint_floor_power_law", points, floor=0.0)
    new = pd.DataFrame({"train_size": [1e6, 1e7]})
    assert curve.params["gamma_meas"] == pytest.approx(line.params["gamma_meas"], rel=1e-7)
    assert curve.bse["gamma_meas"] == pytest.approx(line.bse["gamma_meas"], rel=1e-6)
    assert curve.prediction_interval(new) == pytest.approx(line.prediction_interval(new), rel=1e-6)


@pytest.mark.slow
def test_prediction_intervals_cover_new_runs():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(60):
        error = 0.05 + 5 * SIZES**-0.5
        points = study(error).assign(log_error=np.log(error) + 0.05 * rng.normal(size=len(error)))
        result = fit("endpoint_floor_power_law", points, floor=0.05)
        new = np.log(0.05 + 5 * 1e6**-0.5) + 0.05 * rng.normal()
        low, high = result.prediction_interval(pd.DataFrame({"train_size": [1e6]}))[0]
        inside += low < new < high
    assert stats.binomtest(inside, 60, 0.95).pvalue > 0.01


def test_early_law_with_offset():
    rng = np.random.default_rng(2)
    rows = []
    for size in (100, 1000, 10_000):
        for seed in range(3):
            x = np.linspace(0, 6, 25)
            y = np.log(0.8 * np.exp(-0.6 * x) + 0.1) + 0.01 * rng.normal(size=25) + 0.005 * rng.normal()
            rows.append(
                pd.DataFrame({"run": f"{size}/{seed}", "train_size": size, "log_norm": x, "log_error": y})
            )
    points = pd.concat(rows, ignore_index=True)
    result = fit("early_floor_power_law", points)
    assert abs(result.params["gamma_1"] - 0.6) < 4 * result.bse["gamma_1"] < 0.1
    assert result.params["q1"] == pytest.approx(0.1, abs=0.01)


def test_optimal_norm_with_offset_far_beyond_floating_point():
    """lambda_opt = k2 P^gamma_2 + q2 times e^900: only logs can hold it."""
    y = np.log(2 * SIZES**0.8 + 500) + 900
    points = pd.DataFrame({"run": np.arange(30).astype(str), "train_size": SIZES, "log_norm": y})
    result = fit("optimal_norm_offset_power_law", points)
    assert result.params["gamma_2"] == pytest.approx(0.8, abs=1e-5)
    assert result.params["log_q2"] == pytest.approx(np.log(500) + 900, abs=1e-4)


def test_too_little_is_refused():
    few = study(3 * SIZES**-0.4).head(4)
    with pytest.raises(InputError, match="5 parameters need at least 6 points, got 4"):
        fit("endpoint_broken_power_law", few)
    for name in ("endpoint_floor_power_law", "endpoint_broken_power_law", "endpoint_m4"):
        with pytest.raises(InputError, match="at least 2 train sizes, got 1"):
            fit(name, study(3 * SIZES**-0.4).assign(train_size=100))
    with pytest.raises(InputError, match="not below that of guessing"):
        fit("endpoint_m4", study(3 * SIZES**-0.4), guess_error=0.3)
