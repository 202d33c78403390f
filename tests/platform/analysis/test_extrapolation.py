from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import Options, analyse
from normlaw.analysis.extrapolation import predictions
from normlaw.analysis.hold_out import hold_out
from normlaw_registry import InputError
from normlaw_tests.tables import number

SIZES = np.geomspace(100, 100_000, 10).astype(int)


@pytest.fixture
def floored():
    rng = np.random.default_rng(0)
    size = np.repeat(SIZES, 4)
    log_error = np.log(0.03 + 4 * size**-0.6) + 0.01 * rng.normal(size=len(size))
    return pd.DataFrame({"run": np.arange(len(size)).astype(str), "train_size": size, "log_error": log_error})


def test_the_law_that_made_the_data_extrapolates_best(floored, catalogue):
    table, scores = hold_out(floored, catalogue, 3, 0.95)
    order = scores["fitter"].tolist()
    assert order.index("endpoint_floor_power_law") < order.index("endpoint_power_law")
    best = scores.set_index("fitter").loc["endpoint_floor_power_law"]
    assert best["rms_log_error"] < 0.03
    assert best["inside"] > 0.8
    assert best["decades"] == pytest.approx(1.0, abs=0.01)
    assert set(table["train_size"]) == set(SIZES[-3:])


@pytest.mark.slow
def test_held_out_sizes_are_not_seen(floored, catalogue):
    """Changing the held-out errors changes no prediction."""
    table, _ = hold_out(floored, catalogue, 3, 0.95)
    spoilt = floored.copy()
    spoilt.loc[spoilt["train_size"] >= SIZES[-3], "log_error"] += 1.0
    again, _ = hold_out(spoilt, catalogue, 3, 0.95)
    assert again["test_error"].to_numpy() == pytest.approx(table["test_error"].to_numpy(), nan_ok=True)


def test_a_law_that_cannot_be_fitted_says_why(floored, catalogue):
    few = floored[floored["train_size"] <= SIZES[2]].groupby("train_size").head(1)
    table = predictions(few, catalogue, [10**6], 0.95).set_index("fitter")
    assert "need at least" in table["problem"].loc["endpoint_m4"]
    assert np.isnan(number(table, "endpoint_m4", "test_error"))
    line = table.loc["endpoint_power_law"]
    assert line["low"] < line["test_error"] < line["high"]


def test_refusals(floored, catalogue):
    with pytest.raises(InputError, match="there are 10, and at least 3 must be left"):
        hold_out(floored, catalogue, 8, 0.95)
    with pytest.raises(InputError, match="must be positive, got 0"):
        predictions(floored, catalogue, [0], 0.95)


def test_offsets_are_preferred_only_where_there_are_any(make_study, catalogue):
    options = Options(protocol="released", window=(None, 0.5), offsets=True)
    plain = analyse(make_study(shape="kink", ceiling=10.0, noise=0.003, reach=2.5), catalogue, options)
    assert "offset_preferred" not in {w.code for w in plain.warnings}
    raised = make_study(shape="kink", ceiling=10.0, noise=0.003, reach=2.5, floor=0.02, gamma_1=0.6)
    analysis = analyse(raised, catalogue, options)
    table = analysis.tables()["offsets"].set_index("exponent")
    assert number(table, "gamma_1", "delta_aic") < -2
    assert number(table, "gamma_1", "offset") == pytest.approx(0.02, rel=0.3)
    assert number(table, "gamma_1", "with_offset") == pytest.approx(0.6, abs=0.05)
    assert "offset_preferred" in {w.code for w in analysis.warnings}
