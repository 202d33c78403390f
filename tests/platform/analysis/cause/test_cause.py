"""What the error follows in arms: known by construction, and by independent fits."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneGroupOut

from normlaw.analysis import About
from normlaw.analysis.cause import Cause, Change, find_cause, write_cause
from normlaw.analysis.cause.points import arm_points
from normlaw.analysis.cause.responses import fieller, mean_with_limits
from normlaw.analysis.cause.shares import PENALTIES, Shares, _Design, explained_shares, jackknife
from normlaw.analysis.cause.verdict import judge
from normlaw_registry import InputError
from normlaw_tests.arms import CHANGES, FORK, curves


def few(follows: str) -> pd.DataFrame:
    return curves(follows, sizes=(60, 240, 960), seeds=2)


@cache
def found(follows: str) -> Cause:
    return find_cause(few(follows), "weight_norm", CHANGES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("follows", "verdict", "named"),
    [
        ("norm", "one_variable", ["weight_norm"]),
        ("scale", "one_variable", ["logit_scale"]),
        ("steps", "one_variable", ["steps"]),
        ("both", "several_variables", ["weight_norm", "logit_scale"]),
        ("twins", "cannot_tell", ["weight_norm", "logit_scale"]),
    ],
)
def test_what_the_error_follows_is_found(follows: str, verdict: str, named: list[str]) -> None:
    one = found(follows)
    assert one.verdict == verdict, one.summary()
    assert sorted(one.named) == sorted(named)
    assert all(name in one.verdict_text for name in named)
    assert one.settable[:2] == (one.verdict, one.named)  # none of them is the training loss
    assert "an outcome itself" not in one.summary()


@pytest.mark.slow
def test_doses_and_responses_are_those_that_were_put_in() -> None:
    of_norm = found("norm").slopes.set_index(["changed", "response"])["value"]
    assert of_norm["norm", "mean"] == pytest.approx(-2.5, abs=0.03)
    assert of_norm["temperature", "mean"] == pytest.approx(0, abs=0.03)
    of_scale = found("scale").slopes.set_index(["changed", "response"])["value"]
    assert of_scale["norm", "mean"] == pytest.approx(-1.2, abs=0.03)  # twice 0.6: two layers
    assert of_scale["temperature", "mean"] == pytest.approx(0.6, abs=0.03)
    for follows, fraction in (("norm", 0), ("scale", 1), ("both", 0.7 / 1.9)):
        rows = found(follows).undone
        assert list(rows["arm"]) == ["held_half_matched"] * 2 + ["held_double_matched"] * 2
        assert rows["fraction"].to_numpy() == pytest.approx([fraction] * 4, abs=0.05), follows
        assert (rows["low"] < rows["fraction"]).all()
        assert (rows["fraction"] < rows["high"]).all()
    doses = found("norm").arms.set_index(["arm", "response"])["dose weight_norm"]
    assert doses["held_double", "mean"] - doses["held", "mean"] == pytest.approx(np.log(2))


def test_the_points_are_those_behind_the_fork() -> None:
    frame = few("scale")
    points = arm_points(frame, "weight_norm")
    assert points.behind["step"].min() == frame.loc[frame["step"] > FORK, "step"].min()
    assert points.arms[0] == "free"
    assert set(points.arms) == {"free", *CHANGES}
    free = points.compared[points.compared["arm"] == "free"]
    least = np.log(frame[frame["arm"] == "free"].groupby(["train_size", "seed"])["test/error"].min())
    assert (free["y"].to_numpy() > least.min() + np.log(1.1)).all()


def test_shares_are_those_of_ordinary_cross_validation() -> None:
    points = arm_points(few("both"), "weight_norm").compared
    design = _Design(points, ["weight_norm"])
    columns = np.hstack([design.size, design.of["weight_norm"]])
    runs = points.groupby(["trunk", "arm"])["y"].transform("size").to_numpy()

    def by_hand(penalty: float) -> float:
        total = 0.0
        for rest, held in LeaveOneGroupOut().split(columns, groups=points["arm"]):
            model = Ridge(penalty, solver="svd").fit(columns[rest], points["y"].iloc[rest], 1 / runs[rest])
            total += float(np.sum((points["y"].iloc[held] - model.predict(columns[held])) ** 2 / runs[held]))
        return total

    errors = design.errors("across", frozenset(["weight_norm"]))
    assert errors[0] == pytest.approx(min(by_hand(p) for p in PENALTIES), rel=1e-6)
    assert len(errors) == 1 + points["trunk"].nunique()


def drawn(seed: int) -> pd.DataFrame:
    """Return points of 6 trunks with 4 arms, whose y follows x for the most part, and a level of the trunk."""
    rng = np.random.default_rng(seed)
    trunk, arm, x = np.meshgrid(np.arange(6), np.arange(4), np.linspace(0, 1, 6), indexing="ij")
    x = x + 0.3 * rng.normal(size=(6, 4, 1)) + 0.2 * arm
    y = -np.sin(x) + 0.3 * rng.normal(size=(6, 1, 1)) + 0.1 * rng.normal(size=x.shape)
    named = pd.DataFrame({"trunk": trunk.ravel(), "arm": arm.ravel()}).astype(str)
    return named.assign(train_size=100.0, x=x.ravel(), y=y.ravel())


def test_the_limits_of_shares_hold_what_they_are_limits_of() -> None:
    found = [explained_shares(drawn(seed), ["x"]).across[frozenset(["x"])] for seed in range(60)]
    values = np.array([jackknife(shares) for shares in found])  # (draws, 2)
    inside = np.abs(values[:, 0] - np.median(values[:, 0])) <= stats.t.ppf(0.95, 5) * values[:, 1]
    assert 0.8 <= inside.mean() <= 0.97  # limits of 90 %


def test_shares_that_may_be_zero_name_nothing() -> None:
    of = {frozenset(s): np.array([0.05, -0.1, 0.2, 0.3, -0.2]) for s in (["a"], ["b"], ["a", "b"])}
    verdict, named, reason = judge(Shares(across=of, within=of, total=1.0), ["a", "b"], 0.95)
    assert (verdict, named) == ("no_variable", ())
    assert "maybe 0" in reason.message


def test_a_rival_within_the_errors_is_named() -> None:
    rng = np.random.default_rng(0)
    sets = [frozenset(s) for s in (["a"], ["b"], ["a", "b"])]
    of = {s: 0.8 + 0.01 * rng.normal(size=11) for s in sets}
    verdict, named, reason = judge(Shares(across=of, within=of, total=1.0), ["a", "b"], 0.95)
    assert (verdict, set(named)) == ("cannot_tell", {"a", "b"})
    assert "no more than its errors beyond" in reason.message


def test_fiellers_limits_are_those_of_students_test() -> None:
    rng = np.random.default_rng(1)
    a, b = 1 + 0.2 * rng.normal(size=12), 0.3 + 0.2 * rng.normal(size=12)
    ratio, low, high = fieller(b, a, 0.95)
    assert ratio == pytest.approx(b.mean() / a.mean())
    for limit in (low, high):
        assert stats.ttest_1samp(b - limit * a, 0).pvalue == pytest.approx(0.05)
    assert fieller(b, a - a.mean() + 0.01, 0.95)[1:] == (-np.inf, np.inf)  # of nothing, any part may be undone


def test_limits_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    held = [0, 0]
    for _ in range(1000):
        a = 1 + 0.3 * rng.normal(size=8)
        b = 0.4 + 0.5 * (a - 1) + 0.3 * rng.normal(size=8)
        _, low, high = fieller(b, a, 0.9)
        told = mean_with_limits(a, 0.9)
        held[0] += low <= 0.4 <= high
        held[1] += told["low"] <= 1 <= told["high"]
    assert held == pytest.approx([900, 900], abs=30)


def test_an_arm_is_known_by_what_is_listed_of_it() -> None:
    listed = {"start.step": "10", "hold_norm.of": "weights", "hold_norm.log_norm": "None", "temperature": "4"}
    assert Change.of(listed) == Change("weights", 1.0, 4.0)
    assert np.isnan(Change.of({"hold_norm.of": "layers", "hold_norm.log_norm": "2.0"}).factor)
    assert Change.of({"learning_rate": "0.1"}).other


@pytest.mark.slow
def test_it_is_written_whole(tmp_path: Path) -> None:
    one = found("scale")
    write_cause(one, tmp_path / "found", About(title="Arms", norm="weight_norm"))
    page = (tmp_path / "found" / "report.html").read_text()
    assert "The error follows logit_scale" in page
    for name in ("cause_curves", "cause_shares", "cause_doses"):
        assert (tmp_path / "found" / "figures" / f"{name}.svg").is_file()
    assert (tmp_path / "found" / "summary.txt").read_text() == one.summary() + "\n"
    assert all(len(line) <= 79 for line in one.summary().splitlines())
    assert one.to_dict()["named"] == ["logit_scale"]
    assert one.metrics()["across/logit_scale"] > 0.95


def test_what_cannot_be_compared_is_refused() -> None:
    frame = few("scale")
    with pytest.raises(InputError, match="norm 'l1_norm' was not measured in these runs"):
        find_cause(frame, "l1_norm", CHANGES)
    with pytest.raises(InputError, match="got 2 trunks and 7 arms"):
        find_cause(frame[frame["train_size"] == 60], "weight_norm", CHANGES)
    with pytest.raises(InputError, match="got 0 trunks and 0 arms"):
        find_cause(frame[frame["arm"] == "free"], "weight_norm", CHANGES)
    with pytest.raises(InputError, match="confidence must lie in"):
        find_cause(frame, "weight_norm", CHANGES, confidence=2)
    points = arm_points(frame.drop(columns="log_norm/logit_scale"), "weight_norm")
    assert [w.code for w in points.warnings] == ["no_logit_scale"]
    assert points.variables == ("weight_norm", "steps", "training_loss")
