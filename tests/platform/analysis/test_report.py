"""The pages: whole, escaped, and asking nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from normlaw.analysis import About, Options, analyse, command_line, report, write
from normlaw.analysis.comparison import PUBLISHED, comparison_page, comparison_rows, pairs
from normlaw.analysis.figures import figures
from normlaw.analysis.figures.captions import caption
from normlaw.analysis.figures.drawing import Printed
from normlaw.analysis.figures.style import printed
from normlaw.analysis.links import Links, RunLink
from normlaw.analysis.report import signed
from normlaw.base.mathematics import typeset

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
    study = make_study(sizes=(1000, 2000, 4000, 8000), seeds=2)  # few: they are to be shown
    return analyse(study.assign(run=study["run"] + EVIL), catalogue)


@pytest.fixture(scope="module")
def drawings(analysis):
    return {name: Printed(figure, printed(figure)) for name, figure in figures(analysis).items()}


@pytest.fixture(scope="module")
def html(analysis, drawings):
    about = About(title=EVIL, norm=EVIL, settings={EVIL: EVIL}, command=EVIL)
    return report(analysis, about, drawings)


@pytest.mark.slow
def test_everything_is_escaped(html):
    tags = Tags(html)
    assert EVIL not in html
    assert "&lt;script&gt;" in html
    assert not tags.seen & {"script", "iframe", "object", "link", "style2"}
    assert not [name for name, _ in tags.attributes if name.startswith("on")]


@pytest.mark.slow
def test_nothing_comes_from_elsewhere(analysis, drawings, html):
    sources = [value for name, value in Tags(html).attributes if name == "src"]
    assert len(sources) == len(drawings) == 7
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    leads_to = {value for name, value in Tags(html).attributes if name == "href"}
    beside = {"results.json", "tables/curves.csv", *(f"tables/{name}.csv" for name in analysis.tables())}
    assert leads_to == beside - {"tables/exponents.csv"}
    assert "default-src 'none'" in html
    assert '<base target="_blank">' in html  # MLflow shows the page in a frame, which a link would replace
    assert not re.search(r"url\(|@import", html)


@pytest.mark.slow
def test_all_that_was_found_is_there(analysis, html):
    for name, estimate in analysis.estimates().items():
        assert name in html
        assert f"{estimate.value:.4f}" in html
    for sentence in analysis.findings.method:
        assert typeset(sentence) in html
    assert "statsmodels" in html
    assert all(value for name, value in Tags(html).attributes if name == "alt")


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_report_leads_to_its_runs_commit_study_and_data(analysis, tmp_path):
    runs = tuple(
        RunLink(name=f"run {seed} {EVIL}", address=f"http://host/#/experiments/1/runs/{seed}", commit=commit)
        for seed, commit in enumerate(("abc", "abc+changes", "abc", ""))
    )
    links = Links(experiment="http://host/#/experiments/1", serving="mlflow ui", runs=runs, study="my.yaml")
    layers = [
        {"step": 0, "measure": "n", "layer": name, "depth": i, "norm": 1.0} for i, name in enumerate("02")
    ]
    write(analysis, tmp_path / "r", About(norm="n", links=links, layers=layers))
    html = (tmp_path / "r" / "report.html").read_text()
    tags = Tags(html)
    leads_to = [value for name, value in tags.attributes if name == "href"]
    assert {run.address for run in runs} < set(leads_to)
    for path in (one for one in leads_to if not one.startswith("http://host/#/experiments/1")):
        assert (tmp_path / "r" / path).is_file(), path
    points = pd.read_csv(tmp_path / "r" / "tables" / "curves.csv")
    assert len(points) == len(analysis.curves)
    assert EVIL not in html
    for told in ("<code>abc</code>: 2 runs", "<code>abc+changes</code>: 1 run.", "my.yaml", "mlflow ui"):
        assert told in html
    assert caption("layer_norms", analysis) in html
    assert "last layer (2)" in (tmp_path / "r" / "figures" / "layer_norms.svg").read_text()


@pytest.mark.slow
def test_formulas_are_typeset(analysis, html):
    assert "<i>γ</i><sub>pred</sub>" in html
    text = re.sub(r"<(pre|code|style).*?</\1>|<[^>]+>", "", html, flags=re.DOTALL)
    assert not re.search(r"\^-?\w|\+-|gamma_(1|2|pred|meas)\b", text)


def test_the_command_repeats_the_analysis():
    options = Options(protocol="released", window=(None, 0.3), first_index=6, predict_at=(10, 20), offsets=True)
    text = command_line(["--curves", "a b.csv"], "norm", options)
    assert "--curves 'a b.csv'" in text
    assert "--window none 0.3 --first-index 6" in text
    assert "--predict-at 10 --predict-at 20" in text
    assert text.endswith("--first-index 6") or "--offsets" in text


@pytest.mark.slow
def test_comparison_has_the_nine_and_ours(analysis):
    found = {"cnn_cifar10 small": analysis.to_dict(), EVIL: analysis.to_dict()}
    rows = comparison_rows(found)
    assert [row["study"] for row in rows if row["gamma_1"] is None] == [
        name for name in PUBLISHED if name != "cnn_cifar10"
    ]
    ours = next(row for row in rows if row["study"] == "cnn_cifar10 small")
    expected = (ours["gamma_pred"] - 0.28) / (ours["gamma_pred_stderr"] ** 2 + 0.07**2) ** 0.5
    assert ours["z"] == pytest.approx(expected)
    assert pairs([row for row in rows if row["gamma_1"] is not None], "gamma_1") == [[None, 0.0], [0.0, None]]
    html = comparison_page(found)
    assert EVIL not in html
    assert "not analysed yet" in html
    assert html.count(f"{signed(ours['z'])}</td>") >= 1
    assert html.count("<script") == 3  # the figure's own: what it is told, Bokeh, and what draws


def test_published_table_is_the_paper_s(published):
    for study, facts in published.items():
        assert PUBLISHED[study] == (facts["table_gamma_pred"], facts["table_gamma_meas"], facts["table_sigma"])


@pytest.mark.slow
def test_pages_fit_a_screen_and_a_phone(analysis, drawings, browser, tmp_path):
    many = {f"a_study_of_{name} architecture={name}": analysis.to_dict() for name in ("cnn", "resnet", "vit")}
    found = {**many, **{name: analysis.to_dict() for name in PUBLISHED}}
    named = {name: {**one, "norm": "spectral_complexity_kernel"} for name, one in found.items()}
    about = About(settings={"a": "b" * 60})
    pages = {"comparison": comparison_page(named), "report": report(analysis, about, drawings)}
    page = browser.new_page()
    for name, text in pages.items():
        (tmp_path / f"{name}.html").write_text(text)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto((tmp_path / f"{name}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            cut = "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth).length"
            assert width == 390 or name == "report" or page.evaluate(cut) == 0
    page.close()
