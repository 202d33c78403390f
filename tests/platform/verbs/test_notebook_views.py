"""What a notebook shows of each result: values, errors, verdict; and no text of others as markup."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import normlaw
from normlaw.analysis.prediction import Prediction
from normlaw.base.html import Showable, listed, paragraph, preformatted, table
from normlaw.base.mathematics import typeset
from normlaw.launching.preflight import Problem
from normlaw.verbs.rehearse import Row
from normlaw_registry import AnalysisWarning, Response
from normlaw_tests.two_settings import SETTING, two_settings

EVIL = "<script>alert(1)</script>&"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;&amp;"


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    found = two_settings()
    return found[found[SETTING] == "0.0"]


@pytest.fixture(scope="module")
def analysis(curves) -> normlaw.Analysis:
    return normlaw.fit(curves, norm="first", protocol="released", window=(None, 0.3))


def cells(shown: str) -> list[list[str]]:
    """Return the rows of the first table that a notebook shows."""
    from bs4 import BeautifulSoup

    rows = BeautifulSoup(shown, "html.parser").find("table").find_all("tr")
    return [[cell.get_text() for cell in row.find_all(["td", "th"])] for row in rows]


def test_every_result_shows_itself() -> None:
    errors_and_choices = {"InputError", "NormlawError", "Options"}
    for name in normlaw.__all__:
        found = getattr(normlaw, name)
        if inspect.isclass(found) and name not in errors_and_choices:
            assert hasattr(found, "_repr_html_"), name


def test_an_analysis_shows_its_numbers_and_verdict(analysis) -> None:
    because, beware = (
        AnalysisWarning(code="because", message=EVIL),
        AnalysisWarning(code="beware", message=EVIL),
    )
    failed = replace(analysis.findings, verdict="fail", reasons=(because,))
    shown = replace(analysis, findings=failed, warnings=(beware,))._repr_html_()
    assert "the laws do not hold" in shown
    assert shown.count(SAFE) == 2
    assert EVIL not in shown
    head, first, *_ = cells(shown)
    assert head[:3] == ["exponent", "value", "std. error"]
    assert first[0] == "γ1"  # the 1 as an index
    assert "<i>γ</i><sub>1</sub>" in shown
    assert float(first[1]) == pytest.approx(analysis.gamma_1.value, abs=1e-4)
    assert float(first[2]) == pytest.approx(analysis.gamma_1.stderr, abs=1e-4)
    assert first[4] == unescape(re.sub("<[^>]+>", "", typeset(analysis.definition("gamma_1"))))
    assert "verdict" not in analysis._repr_html_()  # this protocol does not judge


def test_results_show_where_they_are(analysis) -> None:
    result = normlaw.Result({SETTING: EVIL}, "first", analysis, Path("reports"), "abc")
    shown = normlaw.Results([result, result])._repr_html_()
    assert shown.count(f"{SETTING}={SAFE}, norm first") == 2
    assert shown.count("Tables and figures: reports; MLflow run abc") == 2
    assert EVIL not in shown
    assert "nothing" in normlaw.Results()._repr_html_()


def test_predictions_are_tables() -> None:
    table = pd.DataFrame({"train_size": [1600, 3200], "log_norm": [np.nan] * 2, "test_error": [0.1, 0.05]})
    empty, warning = pd.DataFrame(), AnalysisWarning(code="beware", message=EVIL)
    prediction = Prediction(
        protocol="mine",
        confidence=0.9,
        response=Response(quantity="test_loss"),
        train_sizes=(100, 800),
        table=table,
        scores=empty,
        by_size=empty,
        held_out=empty,
        warnings=(warning,),
    )
    shown = normlaw.Predicted(setting={SETTING: EVIL}, norm="first", prediction=prediction)._repr_html_()
    assert cells(shown) == [["train_size", "test_loss"], ["1,600", "0.1"], ["3,200", "0.05"]]
    assert "fitted to 2 train sizes from 100 to 800; limits of 90%" in shown
    assert shown.count(SAFE) == 2


def test_what_verbs_did_is_told() -> None:
    summary = normlaw.Summary(trained=2, failed={EVIL: "out of memory"})
    assert "2 trained, 1 failed" in summary._repr_html_()
    assert SAFE in summary._repr_html_()
    assert "nothing to do" in normlaw.Summary()._repr_html_()
    sent = normlaw.Synchronised(study="a", sent=(EVIL,), there=3, in_training=0, unsent={"x": EVIL})
    assert sent._repr_html_().count(SAFE) == 2
    unread = normlaw.Synchronised(study="a", sent=(), there=0, in_training=0, unsent={}, unread=EVIL)
    assert f"not sent: {SAFE}" in unread._repr_html_()
    finding = normlaw.Finding("disk", "bad", EVIL, "make room")
    assert f"bad: disk:</strong> {SAFE} (make room)" in finding._repr_html_()
    row = Row(EVIL, 10_000, None, trained=False)
    rehearsal = normlaw.Rehearsal([row], 1, [Problem(EVIL, "", frozenset())])
    assert rehearsal._repr_html_().count(SAFE) == 2
    assert "10,000" in rehearsal._repr_html_()


def test_a_study_is_shown_as_its_file() -> None:
    study = normlaw.load_study("quickstart", overrides={"description": EVIL})
    shown = study._repr_html_()
    assert "24 combinations" in shown
    assert "train_size: [30, 60, 120, 240, 480, 960]" in shown
    assert EVIL not in shown


def test_every_piece_is_escaped() -> None:
    for piece in (
        paragraph(EVIL, strong=EVIL),
        listed([EVIL]),
        table([EVIL], [[EVIL]], EVIL),
        preformatted(EVIL),
    ):
        assert SAFE in piece
        assert EVIL not in piece
    assert isinstance(normlaw.Summary(), Showable)
    assert listed([]) == ""
