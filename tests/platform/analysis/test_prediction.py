"""Predictions beyond the train sizes measured, and their scores: against laws that made the curves."""

from __future__ import annotations

import dataclasses
from math import exp, log

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import Options, analyse, render, report
from normlaw.analysis.hold_out import in_order, scores
from normlaw.analysis.prediction import predict
from normlaw.analysis.prediction_text import render_prediction
from normlaw_registry import AnalysisProtocol, AnalysisWarning, InputError, InvalidComponentError, NormlawError
from normlaw_registry.fitter import Fitter
from normlaw_tests.models import MODEL, catalogue_with, least_squares

GAMMA_1, GAMMA_2 = 0.5, 0.8
TWO_LINES = Options(protocol="two_lines")


@pytest.fixture(scope="module")
def curves(make_study):
    """Curves whose least error is 0.2 (1 + gamma_1) P_0-relative^-(gamma_1 gamma_2), without saturation."""
    return make_study(
        gamma_1=GAMMA_1,
        gamma_2=GAMMA_2,
        noise=0.002,
        seed_offset=0.01,
        optimum_scatter=0.02,
        ceiling=1e3,
        reach=3,
    )


@pytest.fixture(scope="module")
def catalogue():
    return catalogue_with(MODEL)


@pytest.fixture(scope="module")
def predicted(curves, catalogue):
    """What is foretold from two folds, for a test to look at."""
    return predict(curves, catalogue, [10**6], (), TWO_LINES, 2)


@pytest.fixture(scope="module")
def predicted_from_three(curves, catalogue):
    """The same from as many folds as there are by default."""
    return predict(curves, catalogue, [64_000, 1e6], (), TWO_LINES)


def least_error(size):
    """Return the error at the optimum of the law "turn": z = 0, rise 1."""
    return 0.2 * (1 + GAMMA_1) * (size / 1000) ** (-GAMMA_1 * GAMMA_2)


@pytest.mark.slow
def test_the_least_error_far_beyond_what_was_measured(predicted_from_three):
    found = predicted_from_three
    assert found.table["train_size"].tolist() == [64_000, 1_000_000]
    assert found.table["test_error"].to_numpy() == pytest.approx(
        [least_error(64_000), least_error(1e6)], rel=0.02
    )
    assert found.table["decades"].to_numpy() == pytest.approx(np.log10([2, 1e6 / 32_000]))
    assert found.table["log_norm"].isna().all()
    assert np.log((found.table["high"] / found.table["low"]).to_numpy()) == pytest.approx([0.2, 0.2])
    assert found.train_sizes == (1000, 2000, 4000, 8000, 16000, 32000)


def test_norms_and_sizes_are_crossed(curves, catalogue):
    found = predict(curves, catalogue, [1e6, 2e6], (7.5, log(3000.0)), TWO_LINES, 0)
    assert list(zip(found.table["train_size"], found.table["log_norm"], strict=True)) == [
        (10**6, 7.5),
        (10**6, log(3000.0)),
        (2 * 10**6, 7.5),
        (2 * 10**6, log(3000.0)),
    ]
    assert found.table["test_error"][0] == pytest.approx(0.2 * exp(-GAMMA_1 * (7.5 - 10)), rel=0.1)
    assert found.table["test_error"][0] == found.table["test_error"][2]
    assert found.scores.empty
    assert "no score" in render_prediction(found)


@pytest.mark.slow
def test_the_score_is_what_a_calculation_by_hand_gives(curves, predicted):
    found = predicted
    held = found.held_out[found.held_out["fitter"] == "protocol two_lines"]
    assert held[["fitted_to", "train_size"]].to_numpy().tolist() == [
        [16000, 32000],
        [8000, 16000],
        [8000, 32000],
    ]
    errors = []
    for last, size in zip(held["fitted_to"], held["train_size"], strict=True):
        left = curves[curves["train_size"] <= last]
        said = least_squares(left.assign(log_error=np.log(left["test_error"])), None, _Context()).predict
        assert said is not None
        own = float(said(np.array([float(size)]), None)["log_error"].iloc[0])
        errors.append(own - log(held.loc[held["train_size"] == size, "measured"].iloc[0]))
    score = found.scores.set_index("fitter").loc["protocol two_lines"]
    assert score["abs_log_error"] == pytest.approx(np.abs(errors).mean(), rel=1e-6)
    assert score["rms_log_error"] == pytest.approx(np.sqrt(np.square(errors).mean()), rel=1e-6)
    assert score["predicted"] == 1
    assert score["inside"] == 1
    assert held["measured"].to_numpy() == pytest.approx(least_error(held["train_size"].to_numpy()), rel=0.03)
    per_size = found.by_size.set_index(["fitter", "train_size"])["abs_log_error"]
    assert per_size["protocol two_lines", 32000] == pytest.approx(np.abs(errors)[[0, 2]].mean(), rel=1e-6)


class _Context:
    confidence = 0.95


@pytest.mark.slow
def test_every_endpoint_law_is_asked_the_same(catalogue, predicted_from_three):
    found = predicted_from_three
    laws = {name for name in catalogue.names(Fitter) if catalogue.get(Fitter, name).law == "endpoint_law"}
    assert set(found.scores["fitter"]) == {*laws, "protocol two_lines"}
    asked = found.held_out.groupby("fitter")[["fitted_to", "train_size"]].agg(tuple)
    assert len({tuple(row) for row in asked.itertuples(index=False)}) == 1
    assert sorted(found.by_size["train_size"].unique()) == [8000, 16000, 32000]  # 3 are left of 6
    text = render_prediction(found)
    assert "protocol two_lines (fitted up to 4,000): this model needs 4 train sizes" in text
    assert found.scores.set_index("fitter").loc["protocol two_lines", "predicted"] == pytest.approx(3 / 6)


@pytest.mark.slow
def test_held_out_runs_are_not_seen(curves, catalogue, predicted):
    """Spoiling the largest train sizes changes no prediction of the fold that leaves them out."""
    spoilt = curves.copy()
    spoilt.loc[spoilt["train_size"] >= 16000, "test_error"] *= 0.5
    first = predicted.held_out
    again = predict(spoilt, catalogue, [10**6], (), TWO_LINES, 2).held_out
    fold = first["fitted_to"] == 8000
    assert fold.sum() == 2 * first["fitter"].nunique()
    kept = first.loc[fold, "test_error"].to_numpy()
    assert again.loc[fold, "test_error"].to_numpy() == pytest.approx(kept, rel=1e-3, nan_ok=True)
    assert again.loc[fold, "measured"].to_numpy() == pytest.approx(0.5 * first.loc[fold, "measured"].to_numpy())


def test_coverage_counts_runs_and_means():
    table = pd.DataFrame(
        {
            "fitter": "law",
            "train_size": [10, 20, 30],
            "problem": ["", "", "too few"],
            "abs_log_error": [0.1, 0.3, np.nan],
            "relative_error": [0.1, 0.3, np.nan],
            "runs": [4, 1, 2],
            "inside": [0.5, 1.0, np.nan],
            "mean_inside": [1.0, 1.0, np.nan],
            "decades": [0.1, 0.2, 0.3],
        }
    )
    score = scores(table).iloc[0]
    assert score["inside"] == pytest.approx(3 / 5)
    assert (score["mean_inside"], score["abs_log_error"]) == (1.0, pytest.approx(0.2))
    assert (score["predicted"], score["problem"]) == (pytest.approx(2 / 3), "too few")


@pytest.mark.slow
def test_hold_out_of_an_analysis_scores_the_model_too(curves, catalogue):
    analysis = analyse(curves, catalogue, dataclasses.replace(TWO_LINES, hold_out=2))
    named = analysis.tables()["hold_out_scores"]["fitter"].tolist()
    assert "protocol two_lines" in named
    assert "endpoint_power_law" in named
    assert "abs_log_error" in render(analysis)
    assert "protocol two_lines" in report(analysis, drawings={})


@pytest.mark.parametrize(
    ("sizes", "norms", "hold_out", "message"),
    [
        ([], (), None, "name at least one train size"),
        ([0.5], (), None, r"whole number between 1 and 2\^53, got 0.5"),
        ([1000.5], (), None, "whole number"),
        ([float("nan")], (), None, "got nan"),
        ([float("inf")], (), None, "got inf"),
        ([10], (float("nan"),), None, "log of a norm must lie within"),
        ([10], (), 4, "hold-out of 4 train sizes: there are 6"),
        ([10], (), -1, "hold-out of -1"),
    ],
)
def test_refusals(curves, catalogue, sizes, norms, hold_out, message):
    with pytest.raises(InputError, match=message):
        predict(curves, catalogue, sizes, norms, TWO_LINES, hold_out)


def test_a_protocol_without_a_model_is_told(curves, catalogue):
    with pytest.raises(
        InputError, match="protocol 'released' fits no model of these curves that could predict"
    ):
        predict(curves, catalogue, [10], (), Options(protocol="released", window=(None, 0.3)))


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (
            lambda sizes, norms: pd.DataFrame({"log_error": sizes}),
            InvalidComponentError,
            "must return 1 rows with",
        ),
        (lambda sizes, norms: 1 / 0, NormlawError, "'broken' of guest .*failed to predict: ZeroDivisionError"),
    ],
)
def test_a_model_that_breaks_the_contract_is_named(curves, answer, kind, message):
    def analyse_badly(curves, params, context):
        return dataclasses.replace(least_squares(curves, params, context), predict=answer)

    broken = AnalysisProtocol(name="broken", summary="Broken", analyse=analyse_badly)
    with pytest.raises(kind, match=message):
        predict(curves, catalogue_with(broken), [10], (), Options(protocol="broken"))


def test_nothing_is_fitted_before_the_count_is_checked(catalogue):
    optima = pd.DataFrame({"run": ["a", "b", "c"], "train_size": [1, 2, 3], "log_error": [0.0, -1, -2]})
    with pytest.raises(InputError, match="there are 3"):
        in_order(optima, catalogue, 1, 0.95)


def test_a_model_that_gives_no_number_is_said_to(curves):
    """Protocols may know no answer; that is no error of size NaN."""

    def silent(sizes, norms):
        columns = ["log_error", "log_error_low", "log_error_high"]
        return pd.DataFrame(np.nan, index=range(len(sizes)), columns=columns)

    def analyse_with_doubt(curves, params, context):
        doubt = AnalysisWarning(code="doubt", message="too few train sizes")
        return dataclasses.replace(least_squares(curves, params, context), predict=silent, warnings=(doubt,))

    doubtful = AnalysisProtocol(name="doubtful", summary="Doubtful", analyse=analyse_with_doubt)
    found = predict(curves, catalogue_with(doubtful), [10], (), Options(protocol="doubtful"), 1)
    score = found.scores.set_index("fitter").loc["protocol doubtful"]
    assert (score["predicted"], score["problem"]) == (0, "the model gives no number here")
    text = render_prediction(found)
    assert "where no number stands, the model gives none" in text
    assert "warning doubt: too few train sizes" in text
