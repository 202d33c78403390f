"""What train sizes count is said wherever they are."""

from __future__ import annotations

import pytest

from normlaw.analysis import Analysis, Options, analyse
from normlaw.analysis.figures.endpoint_law import endpoint_law
from normlaw.analysis.figures.optimal_norm import optimal_norm
from normlaw.analysis.markdown import basis
from normlaw.analysis.prediction import predict
from normlaw.analysis.prediction_text import render_prediction
from normlaw.analysis.report import report
from normlaw_registry import load_catalogue
from normlaw_registry.testing.protocol import synthetic_curves
from normlaw_tests.models import MODEL, catalogue_with

UNIT = "sequences of $8$ bytes"


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(synthetic_curves(), load_catalogue(), Options(protocol="automatic", draws=100), unit=UNIT)


def test_axes_say_it(analysis: Analysis) -> None:
    labels = [draw(analysis).axes[0].get_xlabel() for draw in (endpoint_law, optimal_norm)]
    assert set(labels) == {r"train size P (sequences of \$8\$ bytes)"}


def test_text_report_and_json_say_it(analysis: Analysis) -> None:
    sizes = sorted(set(analysis.curves["train_size"]))
    told = f"{len(sizes)} train sizes from {sizes[0]:,} to {sizes[-1]:,} {UNIT}"
    assert told in " ".join(analysis.summary().split())
    assert told in basis(analysis)
    assert told in analysis._repr_html_()
    assert f"{len(sizes)} train sizes, which count {UNIT}" in report(analysis, None, {})
    assert analysis.to_dict()["train_size_unit"] == UNIT


def test_predictions_say_it() -> None:
    found = predict(
        synthetic_curves(),
        catalogue_with(MODEL),
        [10**6],
        options=Options(protocol="two_lines"),
        hold_out=0,
        unit=UNIT,
    )
    assert found.to_dict()["train_size_unit"] == UNIT
    assert UNIT in " ".join(render_prediction(found).split())


def test_without_a_word_they_count_examples() -> None:
    plain = analyse(synthetic_curves(), load_catalogue(), Options(protocol="automatic", draws=100))
    assert plain.to_dict()["train_size_unit"] == "examples"
    assert endpoint_law(plain).axes[0].get_xlabel() == "train size P (examples)"
