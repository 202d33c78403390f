"""Tables whose columns somebody else has named: a row a measuring point, runs told apart by what is taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from normlaw.elsewhere.collected import Curves
from normlaw.elsewhere.curve import Curve
from normlaw.elsewhere.table import table_runs
from normlaw.elsewhere.taking import taking
from normlaw_registry import InputError
from normlaw_tests.logged_elsewhere import STEPS, curves

TAKE = {
    "train_size": "n",
    "seed": "trial",
    "step": "iteration",
    "test/error": "1 - acc / 100",
    "log_norm/w": "log(norm)",
}


def theirs() -> pd.DataFrame:
    """Return the exact curves as somebody's table, its rows in the order of their steps."""
    tables = [
        {"n": n, "trial": seed, "iteration": STEPS, "acc": 100 * (1 - error), "norm": norm, "lr": 0.1}
        for n, seed, error, norm in curves()
    ]
    return pd.concat([pd.DataFrame(table) for table in tables]).sort_values("iteration", kind="stable")


def taken(path: Path, take: dict[str, str]) -> tuple[list[Curve], list[str]]:
    """Return the curves of a table, and the notes on them."""
    found = Curves(table_runs(path, taking(take)), taking(take), str(path))
    return list(found), found.notes


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_rows_become_the_curves_that_they_are_of(tmp_path: Path, ending: str) -> None:
    path, table = tmp_path / f"their.{ending}", theirs()
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path, index=False)
    found, notes = taken(path, TAKE)
    assert notes == []
    for curve, (n, seed, error, norm) in zip(found, curves(), strict=True):
        assert (curve.train_size, curve.seed, curve.settings) == (n, seed, {})
        np.testing.assert_array_equal(curve.steps, STEPS)
        np.testing.assert_allclose(curve.values["test/error"], error, rtol=1e-12)
        np.testing.assert_allclose(curve.values["log_norm/w"], np.log(norm), rtol=1e-12)
    assert len({curve.origin for curve in found}) == len(found)


def test_without_steps_rows_are_numbered_and_a_column_may_be_a_number_for_all(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    theirs().query("n == 100 and trial == 1")[["acc", "norm"]].to_csv(path, index=False)
    (curve,), _ = taken(path, {key: TAKE[key] for key in ("test/error", "log_norm/w")} | {"train_size": "100"})
    assert (curve.train_size, curve.seed, curve.name) == (100, 0, "one.csv")
    assert curve.steps.tolist() == list(range(len(STEPS)))


def test_a_column_run_tells_runs_apart_and_names_them(tmp_path: Path) -> None:
    table = theirs().query("n == 100")
    table.assign(run=np.where(table["trial"] == 0, "a", "b"), trial=0).to_csv(tmp_path / "t.csv", index=False)
    found, notes = taken(tmp_path / "t.csv", TAKE)
    assert [(curve.name, curve.seed, len(curve.steps)) for curve in found] == [("a", 0, 30), ("b", 0, 30)]
    assert notes == []


def test_a_parameter_that_nobody_takes_is_told(tmp_path: Path) -> None:
    table = theirs()
    table["lr"] = np.where(table["n"] == 100, 0.1, 0.2)
    table.to_csv(tmp_path / "t.csv", index=False)
    assert "the runs differ in 'lr' too" in taken(tmp_path / "t.csv", TAKE)[1][0]
    settings = {curve.settings["optimizer.learning_rate"] for curve in taken(
        tmp_path / "t.csv", TAKE | {"optimizer.learning_rate": "lr"}
    )[0]}  # fmt: skip
    assert settings == {"0.1", "0.2"}


@pytest.mark.parametrize(
    ("lines", "take", "told"),
    [
        ("", TAKE, "is empty"),
        ("n,trial,iteration,acc,norm\n", TAKE, "holds no points"),
        (
            "n,trial,iteration,acc,norm\n9,0,1,50,2\n9,0,2,many,2\n",
            TAKE,
            "line 3: column 'acc' must be a number",
        ),
        (
            "n,trial,iteration,acc,norm\n9,0,1.5,50,2\n",
            TAKE,
            "line 2: column 'iteration' must be a whole number",
        ),
        (
            "n,trial,iteration,acc,norm\n9,0,1,50,2\n9,0,1,51,2\n",
            TAKE,
            "line 3: the same run and step .1. as a",
        ),
        ("n,trial,iter,acc,norm\n9,0,1,50,2\n", TAKE, "no column 'iteration': did you mean iter"),
        (
            "n,trial,iteration,accu,norm\n9,0,1,50,2\n",
            TAKE,
            "no metric 'acc' for test/error, did you mean 'accu'",
        ),
        ("m,trial,iteration,acc,norm\n9,0,1,50,2\n", TAKE, "no parameter 'n' for train_size"),
        ("n,trial,iteration,acc,norm\n9,0,1,-50,2\n", TAKE, "test/error = 1 - acc / 100 is 1.5 at step 1"),
        ("n,trial,iteration,acc,norm\n9,0,1,50,2\n", TAKE | {"names": "P{a}"}, "has no names of runs"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, lines: str, take: dict[str, str], told: str
) -> None:
    (tmp_path / "t.csv").write_text(lines)
    with pytest.raises(InputError, match=told):
        taken(tmp_path / "t.csv", take)
