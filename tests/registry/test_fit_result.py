"""Four things make a result, and what follows from them is what statsmodels says."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from normlaw_registry import FitResult, Fitter, InputError
from normlaw_registry.testing import check_component

SIZES = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])


def design(points):
    return pd.DataFrame({"gamma_meas": -np.log(points["train_size"]), "log_k": 1.0})


@pytest.fixture
def points() -> pd.DataFrame:
    noise = np.random.default_rng(0).normal(size=5)
    return pd.DataFrame({"train_size": SIZES, "log_error": 0.3 - 0.5 * np.log(SIZES) + 0.05 * noise})


@pytest.fixture
def line(points):
    return sm.OLS(points["log_error"], design(points)).fit()


def result_of(line, **fields) -> FitResult:
    return FitResult(
        line.params,
        line.cov_params(),
        line.df_resid,
        lambda points, params: design(points) @ params,
        **fields,
    )


def test_errors_and_limits_are_those_of_statsmodels(line) -> None:
    result = result_of(line)
    assert result.nobs == 5
    assert result.bse.to_dict() == pytest.approx(line.bse.to_dict(), rel=1e-12)
    for alpha in (0.05, 0.32):
        np.testing.assert_allclose(result.conf_int(alpha), line.conf_int(alpha), rtol=1e-12)
    np.testing.assert_array_equal(result.conf_int().columns, [0, 1])
    normal = FitResult(line.params, line.cov_params().to_numpy(), math.inf, lambda p, b: b, nobs=5)
    reach = 1.959963984540054 * line.bse
    np.testing.assert_allclose(normal.conf_int()[1], line.params + reach, rtol=1e-12)


def test_limits_of_a_prediction_are_those_of_statsmodels(line, points) -> None:
    result = result_of(line, scatter=math.sqrt(line.scale))
    new = pd.DataFrame({"train_size": [150.0, 1e5]})
    np.testing.assert_allclose(result.predict(new), line.predict(design(new)), rtol=1e-12)
    for alpha in (0.05, 0.32):
        expected = line.get_prediction(design(new)).conf_int(obs=True, alpha=alpha)
        np.testing.assert_allclose(result.prediction_interval(new, alpha), expected, rtol=1e-7)


def test_without_a_scatter_one_more_run_has_no_limits(line, points) -> None:
    assert np.isnan(result_of(line).prediction_interval(points)).all()


def test_limits_of_a_curved_law_follow_its_slope() -> None:
    variance, value = 1e-4, 2.0
    curved = FitResult(
        {"a": value}, np.array([[variance]]), math.inf, lambda p, b: p["x"] * b["a"] ** 2, nobs=9, scatter=0
    )
    low, high = curved.prediction_interval(pd.DataFrame({"x": [3.0]}))[0]
    assert (high - low) / 2 == pytest.approx(1.959963984540054 * 3 * 2 * value * 1e-2, rel=1e-6)


def test_texts_hold_the_estimates(line) -> None:
    result = result_of(line, law="ln eps = log_k - gamma_meas ln P", scatter=0.05)
    shown = result.summary(alpha=0.1)
    assert all(text in shown for text in ("ln eps", "gamma_meas", "log_k", "0.95", "points 5", "0.05"))
    kept = result.to_dict()
    assert kept["params"]["gamma_meas"] == line.params["gamma_meas"]
    assert kept["nobs"] == 5


def test_what_does_not_fit_together_is_refused(line) -> None:
    with pytest.raises(ValueError, match=r"2 parameters have a covariance of as many rows, got \(1, 1\)"):
        FitResult(line.params, np.ones((1, 1)), 3, lambda p, b: p["x"])
    with pytest.raises(ValueError, match="nobs="):
        FitResult({"a": 1.0}, np.ones((1, 1)), math.inf, lambda p, b: p["x"])


def test_what_has_all_parts_is_a_result_whatever_its_class(line) -> None:
    class Own:
        params = bse = nobs = None

        def conf_int(self, alpha=0.05): ...
        def predict(self, points): ...
        def summary(self): ...
        def to_dict(self): ...

    assert isinstance(Own(), FitResult)
    assert not isinstance(line.params, FitResult)


@pytest.mark.parametrize("scatter", [0.01, None])
def test_a_fitter_of_four_things_keeps_the_contract(scatter) -> None:
    def fit(points, params):
        if len(points) < 3:
            raise InputError("three points")
        return result_of(sm.OLS(points["log_error"], design(points)).fit(), scatter=scatter)

    check_component(Fitter(name="line", summary="A line", law="endpoint_law", fit=fit))
