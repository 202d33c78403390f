"""The pages: whole, escaped, and asking nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markupsafe import escape

from normlaw.analysis import About, Options, analyse, command_line, report
from normlaw.analysis.comparison import PUBLISHED, comparison_page, comparison_rows
from normlaw.analysis.figures import figures

EVIL = '<script>alert("1")</script>'


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.seen, self.attributes = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.attributes += attributes


@pytest.fixture(scope="module")
def analysis(make_study, catalogue):
    study = make_study()
    return analyse(study.assign(run=study["run"] + EVIL), catalogue)


@pytest.fixture(scope="module")
def html(analysis):
    about = About(title=EVIL, norm=EVIL, settings={EVIL: EVIL}, command=EVIL)
    return report(analysis, about)


@pytest.mark.slow
def test_everything_is_escaped(html):
    tags = Tags(html)
    assert EVIL not in html
    assert "&lt;script&gt;" in html
    assert not tags.seen & {"script", "iframe", "object", "link", "style2"}
    assert not [name for name, _ in tags.attributes if name.startswith("on")]


def test_nothing_comes_from_elsewhere(analysis, html):
    sources = [value for name, value in Tags(html).attributes if name in ("src", "href")]
    assert len(sources) == len(figures(analysis)) == 7
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import", html)


def test_all_that_was_found_is_there(analysis, html):
    for name, estimate in analysis.estimates().items():
        assert name in html
        assert f"{estimate.value:.4f}" in html
    for sentence in analysis.findings.method:
        assert escape(sentence) in html
    assert "statsmodels" in html
    assert all(value for name, value in Tags(html).attributes if name == "alt")


def test_the_command_repeats_the_analysis():
    options = Options(protocol="released", window=(None, 0.3), first_index=6, predict_at=(10, 20), offsets=True)
    text = command_line(["--curves", "a b.csv"], "norm", options)
    assert "--curves 'a b.csv'" in text
    assert "--window none 0.3 --first-index 6" in text
    assert "--predict-at 10 --predict-at 20" in text
    assert text.endswith("--first-index 6") or "--offsets" in text


def test_comparison_has_the_nine_and_ours(analysis):
    found = {"cnn_cifar10 small": analysis.to_dict(), EVIL: analysis.to_dict()}
    rows = comparison_rows(found)
    assert [row["study"] for row in rows if row["gamma_1"] is None] == [
        name for name in PUBLISHED if name != "cnn_cifar10"
    ]
    ours = next(row for row in rows if row["study"] == "cnn_cifar10 small")
    expected = (ours["gamma_pred"] - 0.28) / (ours["gamma_pred_stderr"] ** 2 + 0.07**2) ** 0.5
    assert ours["z"] == pytest.approx(expected)
    html = comparison_page(found)
    assert EVIL not in html
    assert "not analysed yet" in html
    assert Tags(html).seen.isdisjoint({"script"})


def test_published_table_is_the_paper_s(published):
    for study, facts in published.items():
        assert PUBLISHED[study] == (facts["table_gamma_pred"], facts["table_gamma_meas"], facts["table_sigma"])
