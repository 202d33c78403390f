from __future__ import annotations

import json

import pytest

from normlaw.analysis import EXPONENTS, analyse, render, to_json, write, write_json
from normlaw_registry import InputError
from normlaw_tests.figure_files import all_files


@pytest.fixture(scope="module")
def analysis(catalogue, make_study):
    return analyse(make_study(sizes=(1000, 2000, 4000, 8000), seeds=2), catalogue)


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_folder(analysis, tmp_path):
    with all_files():
        write(analysis, tmp_path / "out")
    files = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    drawn = {path for path in files if path.startswith("figures/")}  # and nothing for a column of a paper
    assert drawn == {f"figures/optimal_norm.{ending}" for ending in ("png", "svg", "csv")}
    assert {"tables/exponents.csv", "tables/optima.csv", "results.json", "summary.txt"} <= files
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_an_earlier_analysis_is_replaced_and_nothing_half_written(analysis, tmp_path, monkeypatch):
    write(analysis, tmp_path / "out")
    (tmp_path / "out" / "summary.txt").unlink()
    write(analysis, tmp_path / "out")  # an earlier analysis is replaced
    assert (tmp_path / "out" / "summary.txt").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    before = (tmp_path / "out" / "results.json").read_bytes()

    def broken(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr("normlaw.analysis.writing.figures_of", broken)
    with pytest.raises(RuntimeError):
        write(analysis, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "results.json").read_bytes() == before


@pytest.mark.slow
def test_a_folder_of_something_else_is_kept(analysis, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not an earlier analysis"):
        write(analysis, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.slow
def test_figures_for_what_they_are_not_written_for_are_refused(analysis, tmp_path):
    with pytest.raises(InputError, match="must be written for 'page' or 'paper', not for 'poster'"):
        write(analysis, tmp_path / "out", figures="poster")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_json_keys(analysis, tmp_path):
    write_json(analysis, tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_text())
    assert found == json.loads(to_json(analysis))
    for key in (
        "gamma_1",
        "gamma_1_stderr",
        "gamma_2",
        "gamma_2_stderr",
        "gamma_pred",
        "gamma_meas",
        "gamma_meas_stderr",
        "gamma_0",
        "gamma_0_stderr",
    ):
        assert isinstance(found[key], float)
    for name in (*EXPONENTS, "gamma_0"):
        low, high = found[f"{name}_ci"]
        assert low < found[name] < high
    assert found["verdict"] == "hold"
    assert [reason["code"] for reason in found["reasons"]] == ["laws_agree"]
    assert found["protocol"] == "envelope"
    assert isinstance(found["warnings"], list)


@pytest.mark.slow
def test_text_names_every_exponent(analysis):
    text = render(analysis)
    assert max(map(len, text.splitlines())) < 80
    for name in EXPONENTS:
        assert name in text
    assert "tests: gamma_0 = 0 (one envelope for all train sizes) p = " in text
    assert max(map(len, text.splitlines())) <= 110
