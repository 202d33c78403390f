"""A collapse as part of an analysis: in text, report, tables and JSON; or not said, with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import normlaw
from normlaw.analysis import Analysis, figures, write
from normlaw_registry import InputError
from normlaw_tests.exact_curves import exact_error

SIZES = (100, 200, 400, 800)
QUICK: dict[str, Any] = {"protocol": "automatic", "draws": 100}
"""For what is told of any protocol's findings."""


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    """Curves that leave one envelope at norms that grow with the train size, two seeds each."""
    draws = np.random.default_rng(0)
    x = np.linspace(0, 8, 40)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "train_size": size,
                    "seed": seed,
                    "step": np.arange(1, 41),
                    "log_norm": x,
                    "test_error": 0.7 * exact_error(x, size) * np.exp(0.05 * draws.normal()),
                }
            )
            for size in SIZES
            for seed in range(2)
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def analysis(curves) -> Analysis:
    return normlaw.fit(curves, collapse="departure")


@pytest.mark.slow
def test_it_is_in_everything_that_is_written(analysis, tmp_path: Path, monkeypatch) -> None:
    own = [draw for draw in figures.drawn_of(analysis) if draw.__name__ == "scaling_collapse"]
    monkeypatch.setattr(figures, "drawn_of", lambda _: own)
    write(analysis, tmp_path / "found")
    found = analysis.scaling_collapse
    assert found is not None
    text = (tmp_path / "found" / "summary.txt").read_text()
    page = (tmp_path / "found" / "report.html").read_text()
    stored = json.loads((tmp_path / "found" / "results.json").read_text())["scaling_collapse"]
    assert f"scaling collapse: {found.verdict_text}" in text
    assert "Collapse of normalised curves" in page
    for name, estimate in found.numbers.items():
        assert name in text
        assert found.definition(name) in text.replace("\n                        ", " ")
        assert f"<code>{name}</code>" in page
        assert stored["numbers"][name]["value"] == pytest.approx(estimate.value)
        assert analysis.numbers()[name] == estimate.value
    assert "<i>Δ</i> &lt; <i>σ</i>" in page
    for table in ("scaling_collapse", "scaling_collapse_curves", "scaling_collapse_scan"):
        assert (tmp_path / "found" / "tables" / f"{table}.csv").is_file()
    drawn = pd.read_csv(tmp_path / "found" / "figures" / "scaling_collapse.csv")
    assert set(drawn["series"]) == {"normalised", "deviation", "noise_floor"}
    assert found.verdict_text in analysis._repr_html_()


@pytest.mark.slow
def test_on_the_departure_norm_it_is_anchored_there(analysis) -> None:
    found = analysis.scaling_collapse
    assert found is not None
    departures = analysis.findings.tables["departures"].set_index("train_size")["log_norm"]
    known = found.sizes.set_index("size")["anchor"]
    for size in known.index:
        assert np.log(known[size]) == pytest.approx(departures[int(size)])
    alone = normlaw.collapse(analysis.curves.drop(columns="log_error"), "departure", response="test_error")
    assert alone.numbers["collapse_deviation"].value == pytest.approx(
        found.numbers["collapse_deviation"].value, rel=1e-6
    )


def test_what_cannot_be_said_warns_and_leaves_the_laws(curves) -> None:
    one = curves[curves["seed"] == 0]
    found = normlaw.fit(one, collapse="norm", **QUICK)
    assert found.scaling_collapse is None
    (warning,) = [w for w in found.warnings if w.code == "collapse_not_said"]
    assert "the scatter of seeds needs two runs of each size" in warning.message
    automatic = normlaw.fit(curves, collapse="departure", **QUICK)
    assert "the protocol finds no norms of departure" in str(
        [w for w in automatic.warnings if w.code == "collapse_not_said"]
    )


def test_other_sizes_are_not_those_of_the_laws(curves) -> None:
    found = normlaw.fit(curves, collapse="steps", collapse_over="width", **QUICK)
    assert "sizes in 'width' are not those of the laws" in str(found.warnings)


def test_an_unknown_abscissa_is_refused() -> None:
    with pytest.raises(InputError, match="no abscissa 'norms': did you mean norm"):
        normlaw.fit("nowhere.csv", collapse="norms")  # type: ignore[arg-type]


def test_a_file_of_curves_has_it_too(curves, tmp_path: Path) -> None:
    curves.to_csv(tmp_path / "curves.csv", index=False)
    found = normlaw.collapse(tmp_path / "curves.csv", "steps", response="test_error", floor=0.0, draws=40)
    assert list(found.sizes["size"]) == list(SIZES)
    frame = normlaw.collapse(curves, "steps", response="test_error", floor=0.0, draws=40)
    pd.testing.assert_frame_equal(found.profile, frame.profile)
