"""What is taken of runs that another program logged, and what is said where they lack something."""

from __future__ import annotations

from math import inf, log, nan
from pathlib import Path

import numpy as np
import pytest

from normlaw.elsewhere.collected import Curves
from normlaw.elsewhere.curve import curve_of
from normlaw.elsewhere.logged import LoggedRun, Series
from normlaw.elsewhere.quantity import quantity
from normlaw.elsewhere.taking import read_taking, taking, template
from normlaw_registry import InputError


def run(name: str = "r", params: dict[str, str] | None = None, **series: list[tuple[int, float]]) -> LoggedRun:
    return LoggedRun(name, name, {"n": "100"} if params is None else params, over_steps(series))


def over_steps(series: dict[str, list[tuple[int, float]]]) -> dict[str, Series]:
    return {key: Series.of([s for s, _ in pairs], [v for _, v in pairs]) for key, pairs in series.items()}


TAKE = {"train_size": "n", "test/error": "err", "log_norm/w": "log(norm)"}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("val/acc", "val/acc", 40.0),
        ("1 - val acc", "val acc", -39.0),
        ("err / 100", "err", 0.4),
        ("1-top1/100", "top1", 0.6),
        ("log(norm (l2))", "norm (l2)", log(40)),
        ("log(10) * lg", "lg", log(10) * 40),
    ],
)
def test_the_forms(text: str, name: str, value: float) -> None:
    found = quantity(text, "here")
    assert found.name == name
    assert found.apply(np.array([40.0])) == pytest.approx([value])


def test_points_are_steps_at_which_response_and_norm_were_logged() -> None:
    logged = run(
        err=[(0, 0.9), (10, 0.5), (20, nan), (30, 0.3), (10, 0.4)],  # of two at one step the later counts
        norm=[(10, 2.0), (20, 3.0), (30, 4.0), (35, 5.0)],
        loss=[(10, 1.5)],
    )
    curve = curve_of(logged, taking({**TAKE, "train/loss": "loss"}))
    assert curve.steps.tolist() == [10, 30]
    assert curve.values["test/error"].tolist() == [0.4, 0.3]
    assert curve.values["log_norm/w"] == pytest.approx([log(2), log(4)])
    np.testing.assert_equal(curve.values["train/loss"], [1.5, nan])
    assert (curve.train_size, curve.seed) == (100, 0)


def test_what_has_normlaws_own_names_needs_no_mapping() -> None:
    series = over_steps({"test/loss": [(1, 2.0)], "log_norm/w": [(1, 0.5)]})
    logged = LoggedRun("r", "r", {"train_size": "64.0", "seed": "3"}, series)
    curve = curve_of(logged, taking({}))
    assert (curve.train_size, curve.seed, sorted(curve.values)) == (64, 3, ["log_norm/w", "test/loss"])


def test_names_of_runs_hold_parameters_and_settings_are_texts() -> None:
    points = {"err": [(1, 0.5)], "norm": [(1, 2.0)]}
    said = {**TAKE, "names": "P{n}-{arch}/s{seed}", "architecture": "arch", "optimizer.learning_rate": "0.1"}
    curve = curve_of(run("P70-cnn/s2", {}, **points), taking(said))
    assert (curve.train_size, curve.seed) == (70, 2)
    assert curve.settings == {"architecture": "cnn", "optimizer.learning_rate": "0.1"}
    assert template("a.{x}", "").fullmatch("aab") is None


def test_the_identity_is_that_of_the_values() -> None:
    one = curve_of(run(err=[(1, 0.5)], norm=[(1, 2.0)]), taking(TAKE))
    same = curve_of(run("other", err=[(1, 0.5)], norm=[(1, 2.0)], more=[(1, 1.0)]), taking(TAKE))
    other = curve_of(run(err=[(1, 0.5)], norm=[(1, 2.000001)]), taking(TAKE))
    assert one.identity == same.identity != other.identity


@pytest.mark.parametrize(
    ("logged", "said", "told"),
    [
        (
            run(params={"n_train": "5"}, error=[(1, 0.5)]),
            {"train_size": "n_tran"},
            r"no parameter 'n_tran' for train_size, did you mean 'n_train'\? \(its parameters: 'n_train'\); "
            r"no metric test/error and log_norm/MEASURE, did you mean 'error'\? \(its metrics: 'error'\)\. "
            "Say what is which: --take train_size=NAME",
        ),
        (run(err=[(1, 0.5)], norm=[(2, 1.0)]), TAKE, "'err' and 'norm' were never logged at the same step"),
        (
            run(err=[(1, 40.0)], norm=[(1, 1.0)]),
            TAKE,
            r"err is 40 at step 1, and must be a fraction .* NAME / 100",
        ),
        (run(err=[(1, 0.4)], norm=[(1, 0.0)]), TAKE, r"log\(norm\) of 0 at step 1 is no number"),
        (run(err=[(1, 0.4)], norm=[(1, inf)]), TAKE, "never logged at the same step"),
        (run(params={"n": "ten"}, err=[(1, 0.4)], norm=[(1, 1.0)]), TAKE, "train_size must be a whole number"),
        (run(params={"n": "0"}, err=[(1, 0.4)], norm=[(1, 1.0)]), TAKE, "whole number of at least 1, got '0'"),
        (run("x", err=[(1, 0.4)], norm=[(1, 1.0)]), {**TAKE, "names": "P{p}"}, "is not called as `names` says"),
    ],
)
def test_what_a_run_lacks_is_said_by_name(logged: LoggedRun, said: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        list(Curves([logged], taking(said), "there"))
    assert str(caught.value).startswith("there: ")
    assert len(str(caught.value)) < 600


def test_runs_that_lack_something_are_left_out_and_told() -> None:
    points = {"err": [(1, 0.5)], "norm": [(1, 2.0)]}
    runs = [
        run("sweep", {}),
        run("a", {"n": "5", "lr": "1"}, **points),
        run("b", {"n": "9", "lr": "2"}, **points),
    ]
    curves = Curves(runs, taking(TAKE), "there")
    assert [curve.train_size for curve in curves] == [5, 9]
    assert curves.notes[0].startswith("1 runs were left out: run 'sweep' has no parameter 'n' for train_size")
    assert "differ in 'lr' too" in curves.notes[1]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"tset/error": "x"}, "'tset/error' is no name of normlaw's: did you mean test/error"),
        ({"log_norm/<b>": "x"}, "is no name of normlaw's"),
        ({"test/error": " "}, "names nothing: write one of"),
        ({"names": "P(.*)"}, "is no template of names"),
        ({"names": "{a}{a}"}, "is no template of names"),
        ({"names": "{a b}"}, "is no template of names"),
    ],
)
def test_a_mapping_that_is_none_is_refused(said: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        taking(said)


def test_a_mapping_is_a_file_or_stands_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "take.yaml"
    path.write_text("train_size: 500\ntest/error: 1 - acc\n")
    assert read_taking(path) == {"train_size": "500", "test/error": "1 - acc"}
    path.write_text("train_size: [1]\n")
    with pytest.raises(InputError, match=r"take\.yaml:1: train_size: write the name"):
        read_taking(path)
