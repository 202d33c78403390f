"""What is said of the laws: by which evidence they fail, and where they cannot be judged."""

from __future__ import annotations

from typing import Any

import pytest

from normlaw_plugins.protocols.envelope_model.depth import Depth, depth_of
from normlaw_plugins.protocols.envelope_model.runs import runs_of
from normlaw_plugins.protocols.envelope_model.search import fit
from normlaw_plugins.protocols.envelope_model.verdict import Judged, difference_of, judge
from normlaw_registry import Estimate
from normlaw_tests.law_families import FAILING, draw, thinned


def estimate(value: float, stderr: float) -> Estimate:
    low, high = value - 2 * stderr, value + 2 * stderr
    return Estimate(value=value, stderr=stderr, low=low, high=high, definition="a number")


def judged(measured: float = 0.5, **changed: Any) -> Judged:
    """Return the verdict on a study whose laws hold but for what is changed."""
    predicted, least = estimate(0.5, 0.02), estimate(measured, 0.01)
    told: dict[str, Any] = {
        "gamma_0": estimate(0.0, 0.02),
        "difference": difference_of(predicted, least, 0.0, 10.0),
        "depth": Depth(0.0, 0.05, -2.0, -2.0),
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
        ({"depth": Depth(0.3, 0.03, 12.0, 8.0)}, "fail", "departures_differ"),
        ({"evidence_of_departure": 1.0}, "cannot_tell", "no_departure"),
        ({"departed": 2}, "cannot_tell", "few_departures"),
        ({"enveloped": 2}, "cannot_tell", "no_envelope"),
    ],
)
def test_each_test_says_what_it_found(changed, verdict, code) -> None:
    found = judged(**changed)
    assert (found.verdict, codes(found)) == (verdict, [code])


def test_departures_differ_only_by_evidence_that_rests_on_no_one_train_size() -> None:
    assert judged(depth=Depth(0.3, 0.03, 12.0, -1.0)).verdict == "hold"
    assert judged(depth=Depth(0.3, 0.03, 4.0, 4.0)).verdict == "hold"  # nor where it is not very strong
    assert judged(depth=Depth(0.1, 0.01, 12.0, 8.0)).verdict == "hold"  # nor where the law hardly moves


@pytest.mark.parametrize(
    "changed",
    [{"measured": 0.3}, {"gamma_0": estimate(-0.3, 0.02)}, {"depth": Depth(0.3, 0.03, 12.0, 8.0)}],
)
def test_laws_do_not_fail_by_an_envelope_that_was_not_seen(changed) -> None:
    assert codes(judged(enveloped=2, **changed)) == ["no_envelope"]


@pytest.mark.slow
def test_the_evidence_without_a_train_size_is_that_of_the_other_runs_alone() -> None:
    """Fitted from scratch to the runs that are left, the model in which departures change is as much better."""
    curves = thinned(draw(FAILING, 1)[0], seeds=3)
    found = depth_of(fit(runs_of(curves)))
    sizes = curves["train_size"].unique()
    others = [
        depth_of(fit(runs_of(curves[curves["train_size"] != size]))).log_bayes_factor
        for size in (sizes[0], sizes[-1])  # those that tell the most of a change with P
    ]
    assert found.log_bayes_factor_without == pytest.approx(min(others), rel=0.2)
    assert found.log_bayes_factor_without < found.log_bayes_factor
