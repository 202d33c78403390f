"""`normlaw theory` as a user meets it: numbers, files, and one message for each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from normlaw.cli.program import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["theory", *arguments])


def test_json_holds_every_pair_with_the_documented_keys(tmp_path: Path) -> None:
    target = tmp_path / "curve.json"
    result = run("perceptron", "--alpha", "0.5,1,2", "--lambda", "0.01,0.1,1", "--json", str(target))
    assert result.exit_code == 0, result.output
    rows = json.loads(target.read_text())
    assert [(row["alpha"], row["lambda"]) for row in rows] == [
        (alpha, norm) for alpha in (0.5, 1.0, 2.0) for norm in (0.01, 0.1, 1.0)
    ]
    assert all(set(row) == {"alpha", "lambda", "overlap", "chi", "ln_chi", "error"} for row in rows)
    assert rows[0]["error"] == pytest.approx(0.336, abs=5e-4)  # Hebb's rule is at 0.3365
    assert list(tmp_path.iterdir()) == [target]


def test_every_axis_is_given_by_its_name_and_the_first_is_outermost(tmp_path: Path) -> None:
    target = tmp_path / "curve.json"
    asked = ("--axis", "lambda=0.1,1", "--axis", "alpha=1,2", "--set", "loss=square", "--json", str(target))
    result = run("perceptron", *asked)
    assert result.exit_code == 0, result.output
    rows = json.loads(target.read_text())
    assert [(row["alpha"], row["lambda"]) for row in rows] == [(1, 0.1), (1, 1), (2, 0.1), (2, 1)]
    former = run("perceptron", "--alpha", "1,2", "--lambda", "0.1,1", "--param", "loss=square", "--json", "-")
    assert [row["test_error"] for row in rows] == [row["error"] for row in json.loads(former.output)]
    assert set(rows[0]) == {"alpha", "lambda", "test_error", "overlap", "chi", "ln_chi"}


def test_what_is_answered_bears_the_name_that_was_asked_for() -> None:
    rows = {}
    for name, rate in (("alpha", "eta"), ("examples", "learning_rate")):
        asked = ("two_layer", "--axis", f"{name}=1,2", "--set", "K=1", "--set", "M=1", "--set", f"{rate}=0.3")
        rows[name] = json.loads(run(*asked, "--json", "-").output)
    assert [row["examples"] for row in rows["examples"]] == [row.pop("alpha") for row in rows["alpha"]]
    assert [row["test_loss"] for row in rows["examples"]] == [row["test_loss"] for row in rows["alpha"]]
    assert set(rows["examples"][0]) == {"examples", "test_loss", "norm", "uncertainty"}


def test_what_there_is_is_listed() -> None:
    listed = run().output
    assert "perceptron: Perceptron learning" in listed
    for named in (
        "--axis alpha=1,2",
        "--axis lambda=",
        "--set loss=",
        "test_error:",
        "bayes_optimal, to compare",
    ):
        assert named in listed


def test_what_float64_cannot_hold_is_null_and_its_log_is_there() -> None:
    result = run("perceptron", "--alpha", "0.5", "--lambda", "1e4", "--json", "-")
    (row,) = json.loads(result.output, parse_constant=pytest.fail)
    assert row["chi"] is None
    assert row["ln_chi"] > 2e4


def test_the_table_shows_the_numbers_and_what_to_compare_with() -> None:
    result = run("perceptron", "--alpha", "1:4:3", "--lambda", "1")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].split() == ["alpha", "lambda", "overlap", "chi", "ln_chi", "error"]
    assert [float(line.split()[0]) for line in lines[1:4]] == pytest.approx([1.0, 2.0, 4.0])
    assert "bayes_optimal" in result.output


def test_a_parameter_of_the_theory_can_be_set() -> None:
    square = json.loads(
        run("perceptron", "--alpha", "2", "--lambda", "1", "--param", "loss=square", "--json", "-").output
    )
    logistic = json.loads(run("perceptron", "--alpha", "2", "--lambda", "1", "--json", "-").output)
    assert square[0]["error"] != pytest.approx(logistic[0]["error"], rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("perceptron", "--axis", "alpha=1"), "no values of lambda are given; its axes are alpha, lambda"),
        (("perceptron", "--axis", "alpha=1", "--axis", "lamda=1"), "no axis 'lamda': did you mean lambda?"),
        (("perceptron", "--axis", "alpha"), "'alpha': write NAME=VALUES"),
        (("perceptron", "--axis", "alpha=1", "--axis", "alpha=2"), "--axis: 'alpha' is given twice"),
        (("perceptron", "--param", "loss"), "--set 'loss': write KEY=VALUE, such as loss=square"),
        (("perceptron", "--axis", "alpha=1", "--lambda", "2"), "give either --axis for every axis"),
        (("perceptron", "--axis", "alpha=inf", "--axis", "lambda=1"), "alpha = inf is outside"),
        (("--axis", "alpha=1"), "name a theory"),
        (("perceptro", "--alpha", "1", "--lambda", "1"), "did you mean perceptron?"),
        (("perceptron", "--alpha", "1,,2", "--lambda", "1"), "--alpha"),
        (("perceptron", "--alpha", "one", "--lambda", "1"), "'one' is neither a number"),
        (("perceptron", "--alpha", "1", "--lambda", "0:1:5"), "'0:1:5'"),
        (("perceptron", "--alpha", "1", "--lambda", "1:2:1"), "'1:2:1'"),
        (
            ("perceptron", "--alpha", "1:2:1000", "--lambda", "1:2:1000"),
            "1000 values of lambda are 1000000 points",
        ),
        (("perceptron", "--alpha", "1:2:60000,2:3:60000", "--lambda", "1"), "more than 100000 values"),
        (
            ("perceptron", "--alpha", "1", "--lambda", "1", "--study", "a/b"),
            "'a/b' cannot be the name of a study",
        ),
        (
            ("perceptron", "--alpha", "1", "--lambda", "1", "--study", "a", "--dimension", "9" * 400),
            "the dimension lies between 1 and 10^12, got a whole number of about 40",
        ),
        (
            ("perceptron", "--alpha", "0.0001", "--lambda", "1", "--study", "a"),
            "is 0.1 training examples, not a whole number",
        ),
        (("perceptron", "--alpha", "nan", "--lambda", "1"), "nan"),
        (("perceptron", "--alpha", "1e9", "--lambda", "1"), "alpha = 1e+09 is outside"),
        (("perceptron", "--alpha", "1", "--lambda", "-1"), "lambda = -1 is outside"),
        (("perceptron", "--alpha", "1", "--lambda", "1", "--param", "loss"), "KEY=VALUE"),
        (("perceptron", "--alpha", "1", "--lambda", "1", "--param", "los=square"), "did you mean loss?"),
        (("perceptron", "--alpha", "1", "--lambda", "1", "--param", "loss=cubic"), "loss"),
        (("perceptron", "--alpha", "0.5", "--lambda", "1", "--param", "loss=hinge"), "zero loss"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    target = tmp_path / "curve.json"
    target.write_text("the old content")
    result = run(*arguments, "--json", str(target))
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert target.read_text() == "the old content"
    assert list(tmp_path.iterdir()) == [target]


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "missing" / "curve.json"):
        result = run("perceptron", "--alpha", "1", "--lambda", "1", "--json", str(target))
        assert result.exit_code == 2
        assert "cannot write" in result.output
