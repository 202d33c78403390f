"""What is said of the laws: by which evidence they fail, and where they cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from normlaw_plugins.protocols.envelope_model.depth import Depth, depth_of
from normlaw_plugins.protocols.envelope_model.fitting import fit, settle, with_better_variances
from normlaw_plugins.protocols.envelope_model.resampling import jackknife
from normlaw_plugins.protocols.envelope_model.runs import runs_of
from normlaw_plugins.protocols.envelope_model.shape import DEPTH
from normlaw_plugins.protocols.envelope_model.verdict import Judged, difference_of, judge
from normlaw_registry import Estimate
from normlaw_tests.law_families import FAILING, draw


def estimate(value: float, stderr: float) -> Estimate:
    low, high = value - 2 * stderr, value + 2 * stderr
    return Estimate(value=value, stderr=stderr, low=low, high=high, definition="a number")


def judged(measured: float = 0.5, **changed: Any) -> Judged:
    """Return the verdict on a study whose laws hold but for what is changed."""
    predicted, least = estimate(0.5, 0.02), estimate(measured, 0.01)
    told: dict[str, Any] = {
        "gamma_0": estimate(0.0, 0.02),
        "difference": difference_of(predicted, least, 0.0, 10.0),
        "depth": Depth(value=0.0, stderr=0.05, freedom=5.0, log_bayes_factor=-2.0),
        "evidence_of_departure": 100.0,
        "departed": 6,
        "enveloped": 6,
        "sizes": 6,
    }
    return judge(predicted=predicted, measured=least, **(told | changed))


def codes(judged: Judged) -> list[str]:
    return [reason.code for reason in judged.reasons]


@pytest.mark.parametrize(
    ("changed", "verdict", "code"),
    [
        ({}, "hold", "laws_agree"),
        ({"measured": 0.3}, "fail", "laws_disagree"),
        ({"gamma_0": estimate(-0.3, 0.02)}, "fail", "envelope_rises"),
        ({"depth": Depth(0.3, 0.03, 5.0, 12.0)}, "fail", "departures_differ"),
        ({"evidence_of_departure": 1.0}, "cannot_tell", "no_departure"),
        ({"departed": 2}, "cannot_tell", "few_departures"),
        ({"enveloped": 2}, "cannot_tell", "no_envelope"),
    ],
)
def test_each_test_says_what_it_found(changed, verdict, code) -> None:
    found = judged(**changed)
    assert (found.verdict, codes(found)) == (verdict, [code])


def test_departures_differ_only_if_they_do_so_whichever_train_size_is_left_out() -> None:
    """However strong the evidence: between five sizes an error of 0.12 leaves a depth of 0.3 to chance."""
    assert judged(depth=Depth(0.3, 0.12, 4.0, 12.0)).verdict == "hold"
    assert judged(depth=Depth(0.3, 0.03, 4.0, 4.0)).verdict == "hold"  # nor without strong evidence
    assert judged(depth=Depth(0.1, 0.01, 4.0, 12.0)).verdict == "hold"  # nor where the law hardly moves


@pytest.mark.parametrize(
    "changed",
    [{"measured": 0.3}, {"gamma_0": estimate(-0.3, 0.02)}, {"depth": Depth(0.3, 0.03, 5.0, 12.0)}],
)
def test_laws_do_not_fail_by_an_envelope_that_was_not_seen(changed) -> None:
    assert codes(judged(enveloped=2, **changed)) == ["no_envelope"]


@pytest.mark.slow
def test_the_error_of_the_depth_is_that_of_fits_without_each_train_size() -> None:
    few = fit(runs_of(draw(FAILING, 1)[0]))
    found = depth_of(few)
    named = replace(few.named, precision=few.named.precision.copy())
    named.precision[DEPTH] = 1.0
    whole = with_better_variances(replace(few, named=named, evidence=-np.inf))
    without = []
    for k in range(len(few.runs.sizes)):
        rows = np.flatnonzero(few.runs.size_of != k)
        part = few.runs.subset(rows)
        begun = replace(
            whole, runs=part, shape=whole.shape.for_runs(part), run_shifts=whole.run_shifts[rows], settled=None
        )
        without.append(settle(begun).theta[DEPTH])
    away = np.array(without)[:, None] - whole.theta[DEPTH]
    assert found.stderr == pytest.approx(np.sqrt(jackknife(away)[0, 0]), rel=0.4)
    assert found.value > 10 * found.stderr
