"""`normlaw export`: a folder of curves and findings that other programs read by value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import normlaw
from normlaw.cli.program import main
from normlaw.tracking import reader
from normlaw_tests.two_settings import SETTING, SIZES, import_frame, of_the_first, two_settings, work_in

pytestmark = pytest.mark.slow
OPTIONS: dict[str, Any] = {"norm": "first", "protocol": "released", "protocol_params": {"window": [None, 0.3]}}
SET = ("--norm", "first", "--protocol", "released", "--set", "window=[none, 0.3]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, empty_database) -> Path:
    folder: Path = tmp_path_factory.mktemp("export")
    curves = two_settings()
    one = of_the_first(curves)
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch, empty_database)
        for name, frame in (("both", curves), ("one", one), ("few", one[one["train_size"] < SIZES[2]])):
            import_frame(frame, name)
    return folder


@pytest.fixture
def here(folder, monkeypatch) -> Path:
    work_in(folder, monkeypatch)
    return folder


def test_every_file_holds_what_was_found(here, monkeypatch) -> None:
    asked: list[str] = []
    original = reader.read_curve

    def noted(client: Any, run: Any) -> Any:
        asked.append(run.run_id)
        return original(client, run)

    monkeypatch.setattr(reader, "read_curve", noted)
    found = normlaw.export("both", "out", **OPTIONS)
    assert len(asked) == len(set(asked)) == len(normlaw.runs("both"))  # each once, by setting and all together
    curves = normlaw.curves("both")
    for read in (pd.read_csv("out/curves.csv", dtype={SETTING: str}), pd.read_parquet("out/curves.parquet")):
        pd.testing.assert_frame_equal(read, curves, check_exact=True, check_dtype=False)
    of_setting = normlaw.fit(curves[curves[SETTING] == "0.1"], **OPTIONS)
    exponents = pd.read_parquet("out/exponents.parquet").set_index(["setting", "exponent"])
    assert exponents.loc[(f"{SETTING}=0.1", "gamma_1"), "value"] == of_setting.gamma_1.value
    below = here / "out" / f"{SETTING}=0.1"
    assert json.loads((below / "results.json").read_text())["gamma_1"] == of_setting.gamma_1.value
    for name, table in of_setting.tables().items():
        pd.testing.assert_frame_equal(
            pd.read_csv(below / "tables" / f"{name}.csv"),
            table.reset_index(drop=True).fillna(np.nan),
            check_dtype=False,
        )
        assert (below / "tables" / f"{name}.parquet").exists()
    assert (below / "figures" / "optimal_norm.pdf").read_bytes().startswith(b"%PDF")
    assert "0.1 &" in (here / "out" / "exponents.tex").read_text()
    assert (below / "exponents.tex").exists()
    about = json.loads((here / "out" / "export.json").read_text())
    assert about["laws"].startswith("normlaw analyse both --norm first --protocol released")
    assert set(found.files) == {str(p.relative_to("out")) for p in Path("out").rglob("*") if p.is_file()}
    assert f"{len(found.files)} files in out" in found._repr_html_()
    assert normlaw.runs("both", kinds=["analysis"]).empty  # nothing is logged


def test_what_was_exported_is_imported_and_fitted_again(here) -> None:
    normlaw.export("one", "one", formats=["csv"], **OPTIONS)
    assert sorted(path.name for path in Path("one").iterdir()) == [
        *("curves.csv", "exponents.csv", "export.json", "results.json", "tables"),
    ]
    again, direct = normlaw.fit("one/curves.csv", **OPTIONS), normlaw.fit(normlaw.curves("one"), **OPTIONS)
    assert again.to_dict() == direct.to_dict()


def test_the_command_line_replaces_an_earlier_export_and_nothing_else(here) -> None:
    for _ in range(2):
        done = CliRunner().invoke(main, ["export", "one", "--to", "again", "--format", "latex", *SET])
        assert done.exit_code == 0, done.output
        assert done.stdout == "again: 3 files\n"
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("mine")
    refused = CliRunner().invoke(main, ["export", "one", "--to", "mine", *SET])
    assert refused.exit_code == 2
    assert "mine exists and is not an earlier export" in refused.stderr
    assert [path.name for path in Path("mine").iterdir()] == ["thesis.tex"]


def test_curves_without_laws_are_exported_all_the_same(here) -> None:
    done = CliRunner().invoke(main, ["export", "few", *SET])
    assert done.exit_code == 0, done.output
    assert "warning no law was fitted: " in done.stderr
    assert sorted(path.name for path in Path("export/few").iterdir()) == [
        *("curves.csv", "curves.parquet", "export.json"),
    ]
    assert json.loads(Path("export/few/export.json").read_text())["not_fitted"]


def test_what_cannot_be_exported_is_told(here) -> None:
    with pytest.raises(normlaw.InputError, match="no format 'cvs' of an export: did you mean csv"):
        normlaw.export("one", formats=["cvs"])  # type: ignore[list-item]
    with pytest.raises(normlaw.InputError, match="name a format of the export"):
        normlaw.export("one", formats=[])
    with pytest.raises(normlaw.InputError, match="did you mean one"):
        normlaw.export("ome")
