"""What `normlaw.curves` writes as CSV is read back, by values, wherever curves of a file are taken."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import normlaw
from normlaw_tests.two_settings import SETTING, two_settings

PROTOCOL: dict[str, Any] = {"protocol": "released", "window": (None, 0.3)}


@pytest.fixture
def here(tmp_path, empty_database, monkeypatch) -> Path:
    """Return a working folder with an empty store."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def as_values(frame: pd.DataFrame) -> pd.DataFrame:
    """Return all that is measured, in one order; the identities of runs are others in another store."""
    order = [SETTING, "train_size", "seed", "step"]
    values = frame.drop(columns="run").sort_values(order, ignore_index=True)
    return values[sorted(values.columns)]


@pytest.mark.slow
def test_curves_written_and_imported_are_the_same_to_the_last_bit(here) -> None:
    curves = two_settings()
    curves.to_csv("curves.csv", index=False)
    assert normlaw.import_curves("curves.csv", "one") == (24, 0)
    assert normlaw.import_curves("curves.csv", "one") == (0, 24)
    read = normlaw.curves("one")
    pd.testing.assert_frame_equal(as_values(read), as_values(curves), check_dtype=False, check_exact=True)
    read.to_csv("again.csv", index=False)
    normlaw.import_curves("again.csv", "two")
    twice = normlaw.curves("two")
    pd.testing.assert_frame_equal(as_values(twice), as_values(read), check_exact=True)
    assert set(normlaw.runs("two")[SETTING]) == {"0.0", "0.1"}


def test_a_fit_of_the_file_is_the_fit_of_the_frame(tmp_path) -> None:
    curves = two_settings()
    one = curves[curves[SETTING] == "0.0"]
    one.to_csv(tmp_path / "one.csv", index=False)
    for norm in ("first", "second"):
        of_file = normlaw.fit(tmp_path / "one.csv", norm=norm, **PROTOCOL)
        of_frame = normlaw.fit(one, norm=norm, **PROTOCOL)
        assert of_file.to_dict() == of_frame.to_dict()
    asked = {"norm": "first", **PROTOCOL}
    loss = normlaw.fit(tmp_path / "one.csv", response="test_loss", **asked)  # three times the error
    assert loss.gamma_1.value == pytest.approx(normlaw.fit(one, **asked).gamma_1.value)


def test_what_a_file_leaves_open_is_asked_for(tmp_path) -> None:
    path = tmp_path / "both.csv"
    curves = two_settings(seeds=1)
    curves.to_csv(path, index=False)
    with pytest.raises(normlaw.InputError, match=rf"belong to 2 values of '{SETTING}'"):
        normlaw.fit(path)
    curves[curves[SETTING] == "0.0"].to_csv(path, index=False)
    with pytest.raises(normlaw.InputError, match=r"several measures \(first, second\)"):
        normlaw.fit(path)
    few = ["train_size", "test/error", "log_norm/first"]
    curves.loc[curves[SETTING] == "0.0", few].to_csv(path, index=False)  # run, seed and step are filled in
    assert normlaw.fit(path, **PROTOCOL).curves["run"].nunique() == 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"test/error": "tset/error"}, r"line 1: unknown column 'tset/error': did you mean test/error"),
        ({"epoch": "epcoh"}, r"line 1: unknown column 'epcoh': did you mean epoch"),
        ({SETTING: "optimiser.weight_decay"}, r"line 1: unknown column 'optimiser.weight_decay'"),
        ({"train_size": "size"}, r"line 1: no column 'train_size'"),
        ({"log_norm/first": "log_norm/"}, r"line 1: 'log_norm/' names no measure"),
    ],
)
def test_columns_that_nobody_knows_are_told(tmp_path, change, told) -> None:
    path = tmp_path / "wrong.csv"
    two_settings(seeds=1).rename(columns=change).to_csv(path, index=False)
    with pytest.raises(normlaw.InputError, match=told):
        normlaw.fit(path)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("test/error", "1.5", r"line 2, column 'test/error': must be a fraction in \[0, 1\], got '1.5'"),
        ("log_norm/first", "inf", r"line 2, column 'log_norm/first': must be a finite number, got 'inf'"),
        ("train_size", "", r"line 2, column 'train_size': must be a finite number, got ''"),
        (
            "step",
            "1",
            r"line 3, columns run, train_size, .* step: the same point as line 2",
        ),
    ],
)
def test_values_that_cannot_be_are_told_with_their_line(tmp_path, column, value, told) -> None:
    path = tmp_path / "wrong.csv"
    text = two_settings(seeds=1).astype(str)
    text.loc[0, column] = value
    text.replace("nan", "").to_csv(path, index=False)
    with pytest.raises(normlaw.InputError, match=told):
        normlaw.fit(path)
