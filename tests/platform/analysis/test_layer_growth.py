"""gamma_2 of layers against curves whose layers grow by known exponents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import About, Analysis, Options, analyse, to_json, write
from normlaw.analysis.figures import figures
from normlaw.analysis.layer_growth import layer_growth
from normlaw.analysis.report import report
from normlaw.analysis.text import render
from normlaw_registry import Catalogue, Response, load_catalogue
from normlaw_registry.curves import run_optima

GROWTH = {"sizes.0": 0.3, "sizes.features.1": 0.0, "sizes.fc": -0.1, "sizes": 0.2}
"""Exponents of parts in the study's norm; the whole is their product."""
GAMMA_2 = 0.6
SIZES = (100, 200, 400, 800)


def curves() -> pd.DataFrame:
    """Curves whose error is a parabola in ln lambda, least at GAMMA_2 ln P + a run's own shift."""
    rng = np.random.default_rng(0)
    frames = []
    for size in SIZES:
        for seed in range(3):
            optimum = GAMMA_2 * np.log(size) + rng.normal(0, 0.02)
            x = optimum + np.linspace(-2, 1, 31)
            frame = pd.DataFrame(
                {"log_norm": x, "test_error": 0.3 / size**0.5 * np.exp((x - optimum) ** 2 / 4)}
            )
            for name, slope in GROWTH.items():
                frame[f"log_norm/{name}"] = 1.0 + slope * x
            frames.append(frame.assign(run=f"{size}/{seed}", train_size=size, seed=seed, step=range(31)))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def analysis(catalogue: Catalogue) -> Analysis:
    whole = curves()
    points = whole[["run", "train_size", "seed", "step", "log_norm", "test_error"]]
    return analyse(points, catalogue, Options(protocol="automatic", protocol_params={"draws": 100}), whole)


@pytest.mark.slow
def test_each_layer_has_the_exponent_that_it_grows_by(catalogue: Catalogue) -> None:
    whole = curves()
    points = whole.assign(log_error=np.log(whole["test_error"]))
    optima = run_optima(points)
    found = layer_growth(whole, points, optima, catalogue, 0.95, Response())
    assert found is not None
    rows: Any = found.rows.set_index("norm")
    x, y = np.log(optima["train_size"].to_numpy(dtype=float)), optima["log_norm"].to_numpy(dtype=float)
    own = float(np.polyfit(x, y, 1)[0])  # of the study's norm, by least squares of numpy
    assert own == pytest.approx(GAMMA_2, abs=0.02)
    for name, slope in GROWTH.items():
        assert rows.loc[name, "gamma_2"] == pytest.approx(slope * own, abs=1e-9)
    parts = rows.loc[["sizes.0", "sizes.features.1", "sizes.fc"], "gamma_2"].sum()
    assert parts == pytest.approx(rows.loc["sizes", "gamma_2"], abs=1e-9)
    assert list(rows.index) == ["sizes", "sizes.0", "sizes.features.1", "sizes.fc"]
    assert rows["told"].to_dict() == {
        "sizes": "grows",
        "sizes.0": "grows",
        "sizes.features.1": "neither",
        "sizes.fc": "falls",
    }
    assert list(rows["layer"]) == ["", "0", "features.1", "fc"]
    assert (rows["runs"] == len(SIZES) * 3).all()
    assert rows.loc["sizes.0", "low"] < 0.3 * own < rows.loc["sizes.0", "high"]


def test_where_no_layer_was_measured_there_is_nothing(catalogue: Catalogue) -> None:
    whole = curves()
    points = whole.assign(log_error=np.log(whole["test_error"]))
    optima = run_optima(points)
    for lacking in (whole[["run", "step", "log_norm/sizes"]], whole.drop(columns="step")):
        assert layer_growth(lacking, points, optima, catalogue, 0.95, Response()) is None
    assert layer_growth(whole, points.drop(columns="step"), optima, catalogue, 0.95, Response()) is None


@pytest.mark.slow
def test_a_norm_that_some_points_lack_is_read_between_the_others(catalogue: Catalogue) -> None:
    whole = curves()
    points = whole.assign(log_error=np.log(whole["test_error"]))
    thinned = whole.copy()
    thinned.loc[thinned["step"] % 3 != 0, "log_norm/sizes.fc"] = np.nan
    thinned.loc[thinned["train_size"] > 100, "log_norm/sizes.0"] = np.nan
    optima = run_optima(points)
    before = layer_growth(whole, points, optima, catalogue, 0.95, Response())
    after = layer_growth(thinned, points, optima, catalogue, 0.95, Response())
    assert before is not None
    assert after is not None
    one: Any
    other: Any
    one, other = (each.rows.set_index("norm") for each in (before, after))
    assert other.loc["sizes.fc", "gamma_2"] == pytest.approx(one.loc["sizes.fc", "gamma_2"], abs=1e-9)
    assert other.loc["sizes.0", "problem"]
    assert other.loc["sizes.0", "runs"] == 3


@pytest.mark.slow
def test_it_stands_in_every_form_of_the_results(analysis: Analysis) -> None:
    stored = json.loads(to_json(analysis))["layer_growth"]
    assert {row["norm"] for row in stored["layers"]} == set(GROWTH)
    table = analysis.tables()["layer_growth"]
    assert list(table["norm"].unique()) == ["sizes", "sizes.0", "sizes.features.1", "sizes.fc"]
    assert len(analysis.tables()["layer_norms_at_optima"]) == len(GROWTH) * len(SIZES) * 3
    assert "norms at the optimum grow with the train size" in render(analysis)
    drawing = figures(analysis)["layer_growth"]
    assert list(drawing.numbers()["norm"]) == ["sizes", "sizes.0", "sizes.features.1", "sizes.fc"]
    page = report(analysis, drawings={})
    assert "How the norms of layers grow" in page
    assert "<code>sizes.features.1</code>" in page


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_report_in_a_layers_norm_shows_its_measures_layers_and_spectra(
    analysis: Analysis, tmp_path: Path
) -> None:
    layers = [{"step": 0, "measure": "sizes", "layer": "fc", "depth": 0, "size": 2.0}]
    spectra = {"values": pd.DataFrame({"step": 0, "layer": "fc", "number": [1, 2], "value": [2.0, 1.0]})}
    write(analysis, tmp_path / "out", About(norm="sizes.fc", layers=layers, spectra=spectra))
    drawn = {path.stem for path in (tmp_path / "out" / "figures").glob("*.svg")}
    assert {"layer_norms", "values"} <= drawn
    assert pd.read_csv(tmp_path / "out" / "tables" / "values.csv")["value"].tolist() == [2.0, 1.0]
