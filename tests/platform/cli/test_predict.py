"""`normlaw predict`: of a file of curves and of a study at MLflow, by a model whose law made the curves."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import normlaw
from normlaw.cli.program import main
from normlaw_tests.exact_curves import exact_curves
from normlaw_tests.models import MODEL, catalogue_with


@pytest.fixture(scope="module")
def curves_csv(tmp_path_factory):
    """Write ten exact curves: the least error is 0.6 P^-0.5, at the norm P."""
    path = tmp_path_factory.mktemp("csv") / "outside.csv"
    curves = exact_curves((100, 200, 400, 800, 1600), 2, np.linspace(0, 10, 60))
    curves.query("test_error < 1").to_csv(path, index=False)
    return path


@pytest.fixture(autouse=True)
def _with_the_model(monkeypatch):
    monkeypatch.setattr("normlaw.verbs.predict.load_catalogue", lambda: catalogue_with(MODEL))


def run(*arguments):
    return CliRunner().invoke(main, ["predict", *(str(a) for a in arguments)])


@pytest.mark.slow
def test_of_a_file(curves_csv, tmp_path):
    out = tmp_path / "new" / "p.json"
    asked = ("--train-size", "1e6", "--train-size", 5000, "--protocol", "two_lines")
    done = run("--curves", curves_csv, *asked, "--json", out)
    assert done.exit_code == 0, done.output
    assert "protocol two_lines, fitted to 5 train sizes from 100 to 1,600; limits of 95%" in done.output
    assert "predicted from the smaller train sizes, against what was measured at 800, 1,600" in " ".join(
        done.output.split()
    )
    found = json.loads(out.read_text())
    rows = found["predictions"]
    assert [row["train_size"] for row in rows] == [10**6, 5000]
    assert [row["test_error"] for row in rows] == pytest.approx([0.6e-3, 0.6 * 5000**-0.5], rel=0.03)
    assert [row["log_norm"] for row in rows] == [None, None]
    best = found["scores"][0]
    assert best["abs_log_error"] < 0.02
    assert {score["train_size"] for score in found["scores_by_size"]} == {800, 1600}


def test_norms_as_numbers_and_as_logs(curves_csv):
    asked = ("--norm-value", 1000, "--log-norm", 400, "--hold-out", 0, "--json", "-")
    done = run("--curves", curves_csv, "--train-size", "1e6", "--protocol", "two_lines", *asked)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)  # nothing but JSON
    assert [row["log_norm"] for row in found["predictions"]] == pytest.approx([np.log(1000), 400])
    assert found["scores"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train-size", "0.5"], "whole number between 1 and 2^53, got 0.5"),
        (["--train-size", "-3"], "got -3"),
        (["--train-size", "nan"], "got nan"),
        (["--train-size", "1e400"], "got inf"),
        (["--train-size", "ten"], "not a valid float"),
        ([], "missing option '--train-size'"),
        (["--train-size", "10", "--norm-value", "0"], "a norm must be positive and finite, got 0.0"),
        (["--train-size", "10", "--norm-value", "nan"], "positive and finite, got nan"),
        (["--train-size", "10", "--log-norm", "inf"], "log of a norm must lie within"),
        (["--train-size", "10", "--hold-out", "3"], "there are 5, and at least 3 must be left"),
        (["--train-size", "10", "--protocol", "two_line"], "did you mean two_lines"),
        (["--train-size", "10", "--protocol", "released", "--set", "window=[none, 0.3]"], "fits no model"),
        (["--train-size", "10", "--confidence", "2"], "confidence must lie in"),
    ],
)
def test_bad_input_exits_with_2(curves_csv, tmp_path, arguments, message):
    protocol = [] if "--protocol" in arguments else ["--protocol", "two_lines"]
    done = run("--curves", curves_csv, *arguments, *protocol, "--json", tmp_path / "p.json")
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "p.json").exists()


def test_a_study_or_a_file(curves_csv):
    assert run("--train-size", 10).exit_code == 2
    assert run("study", "--train-size", 10, "--curves", curves_csv).exit_code == 2


@pytest.mark.slow
def test_of_a_study_and_from_python(curves_csv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert normlaw.import_curves(curves_csv, "outside", tracking_uri=uri) == (10, 0)
    done = run("outside", "--train-size", "1e6", "--protocol", "two_lines", "--tracking-uri", uri)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("outside\nprotocol two_lines")
    (one,) = normlaw.predict("outside", [10**6], tracking_uri=uri, protocol="two_lines", hold_out=1)
    (same,) = normlaw.predict(curves_csv, 1e6, protocol="two_lines", hold_out=1)
    frame = normlaw.curves("outside", tracking_uri=uri)
    (again,) = normlaw.predict(frame, 1e6, protocol="two_lines", hold_out=1)
    for other in (same, again):
        assert other.norm == one.norm == "norm"
        pd.testing.assert_frame_equal(other.prediction.table, one.prediction.table)
    pd.testing.assert_frame_equal(again.prediction.scores, one.prediction.scores)
    none = run("outsid", "--train-size", "1e6", "--tracking-uri", uri)
    assert none.exit_code == 2
    assert "no study 'outsid' at this MLflow server: did you mean outside?" in none.output
    assert run("outside", "--train-size", "nan", "--tracking-uri", "sqlite:////no/such.db").exit_code == 2
