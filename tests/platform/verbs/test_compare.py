"""`normlaw compare`, on analyses at an MLflow store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import normlaw
from normlaw.cli.compare import WIDEST, _lines, _number
from normlaw.cli.program import main
from normlaw_tests.two_settings import SETTING, import_frame, of_the_first, two_settings, work_in

pytestmark = pytest.mark.slow
OPTIONS: dict[str, Any] = {"protocol": "released", "window": (None, 0.3)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, empty_database) -> Path:
    """Return a folder whose store has analysed studies: two settings, and the first one whole and in part."""
    folder: Path = tmp_path_factory.mktemp("compare")
    curves = two_settings()
    one = of_the_first(curves)
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch, empty_database)
        for name, frame in (("both", curves), ("whole", one), ("part", one[one["seed"] < 2]), ("bare", one)):
            import_frame(frame, name)
            if name != "bare":
                normlaw.analyse(name, norm="first", **OPTIONS)
    return folder


@pytest.fixture
def here(folder, monkeypatch) -> Path:
    work_in(folder, monkeypatch)
    return folder


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["compare", *arguments])


def test_settings_of_one_study(here) -> None:
    table = normlaw.compare("both").set_index("exponent")
    assert set(table["first"]) == {f"both {SETTING}=0.0"}
    assert set(table["second"]) == {f"both {SETTING}=0.1"}
    row = table.loc["gamma_1"].to_dict()
    assert row["difference"] == pytest.approx(0.05, abs=4 * row["stderr"])
    results = normlaw.results("both").set_index(["analysis", "exponent"])["value"].to_dict()
    assert row["value_2"] == results[f"both {SETTING}=0.1", "gamma_1"]


def test_studies_that_share_runs(here) -> None:
    table = normlaw.compare("part", "whole").set_index("exponent")
    assert set(table["runs_shared"]) == {8}
    apart = (table["stderr_1"] ** 2 + table["stderr_2"] ** 2) ** 0.5
    assert (table["stderr"] < 0.9 * apart).all()


def test_no_two_columns_run_into_each_other() -> None:
    value = {"value_1": -2.7468, "value_2": 1.6285, "difference": -4.3753}
    errors = {"stderr_1": 0.6098, "stderr_2": 0.0965, "stderr": 0.6173}
    about = {"first": "a", "second": "b", "runs_shared": 0, "exponent": "gamma_pred"}
    table = pd.DataFrame([{**about, **value, **errors, "z": -18.99, "p_holm": 0.00016081}])
    row = next(line for line in _lines(table, []) if line.startswith("gamma_pred"))
    numbers = [*("-2.7468", "±", "0.6098"), *("1.6285", "±", "0.0965"), *("-4.3753", "±", "0.6173")]
    assert row.split() == ["gamma_pred", *numbers, "-18.99", "0.0001608"]
    assert len(row) <= 79


def test_the_command_line(here) -> None:
    shown = command("part", "whole")
    assert shown.exit_code == 0, shown.output
    assert "(1) part\n(2) whole\n8 runs in common\n" in shown.stdout
    assert "all pairs" not in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 79
    both = command("both", "part")
    assert both.stdout.count("(2) part") == 2
    assert both.stdout.endswith("p is that of all pairs together (Holm 1979)\n")
    found = json.loads(command(f"both {SETTING}=0.1", "part", "--json").stdout)
    assert [row["exponent"] for row in found] == ["gamma_1", "gamma_2", "gamma_pred", "gamma_meas"]
    assert found[0]["difference"] == pytest.approx(found[0]["value_1"] - found[0]["value_2"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["part"], "'part' has one setting that was analysed: name what it is compared with"),
        (["part", "part"], "'part' and 'part' have an analysis in common"),
        (["both x=1", "part"], "no analysis 'both x=1': "),
        (["bare", "part"], "no analysis of 'bare' yet"),
        (["pat", "whole"], "no study 'pat' at this MLflow server: did you mean part"),
        (["part", "whole", "--confidence", "2"], "confidence must lie in"),
    ],
)
def test_what_cannot_be_compared_is_told(here, arguments, told) -> None:
    failed = command(*arguments)
    assert failed.exit_code == 2
    assert told in failed.stderr


def test_the_protocol_by_default_says_what_each_run_moves(here) -> None:
    curves = two_settings(seeds=2)
    analysis = normlaw.fit(curves[curves[SETTING] == "0.0"], norm="first")
    moved = analysis.tables()["influence"].set_index("run")
    assert set(moved.index) == set(analysis.curves["run"])
    for name in ("gamma_0", "gamma_1", "gamma_2", "gamma_pred", "gamma_meas"):
        estimate = analysis.estimates()[name]
        scatter = estimate.stderr if estimate.statistical is None else estimate.statistical
        assert 0 < float((moved[name] ** 2).sum()) ** 0.5 <= scatter * 1.001


@pytest.mark.parametrize("value", [0.5, -17.7662, 2261218.3472, -2.3e12])
@pytest.mark.parametrize("stderr", [0.0, 3.3, 1163159.7])
def test_numbers_keep_apart_however_large_they_are(value: float, stderr: float) -> None:
    told = _number(value, stderr)
    assert len(told) < WIDEST
    assert float(told.partition(" ")[0]) == pytest.approx(value, rel=0.05)
