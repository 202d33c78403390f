"""Reports whose figures can be moved about in: within one file, without a network, and without scripts too."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import normlaw
from normlaw.analysis import About, NotFittedError, report
from normlaw.analysis.comparison import comparison_page
from normlaw.analysis.figures import figures, style
from normlaw.analysis.figures.drawing import Printed
from normlaw.analysis.figures.style import PAGE
from normlaw.analysis.interactive.moved import fitted_gammas, moved_by, told
from normlaw.analysis.interactive.single_runs import single_runs
from normlaw.analysis.links import Links, RunLink
from normlaw.analysis.report import unfitted_report
from normlaw_registry.curves.columns import floats
from normlaw_tests.figure_files import moving
from normlaw_tests.two_settings import of_the_first, two_settings

pytestmark = pytest.mark.slow
EVIL = "</script><img src=x onerror=alert(1)>&\"'{{7*7}}"
LARGEST = 5e6
"""Bytes of a report."""


class Scripts(HTMLParser):
    """The scripts of a page: those that run, and what they read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.run: list[str] = []
        self.read: dict[str, str] = {}
        self._open: dict[str, str | None] | None = None
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = dict(attrs) if tag == "script" else None
        if tag == "meta" and "content" in dict(attrs) and dict(attrs).get("http-equiv"):
            self.policy = str(dict(attrs)["content"])

    def handle_data(self, data: str) -> None:
        if self._open == {}:
            self.run.append(data)
        elif self._open is not None:
            self.read[str(self._open["id"])] = data

    def handle_endtag(self, tag: str) -> None:
        self._open = None


@pytest.fixture(scope="module")
def analysis() -> normlaw.Analysis:
    curves = of_the_first(two_settings())
    curves["run"] = curves["run"] + EVIL
    return normlaw.fit(curves, norm="first", protocol="released", window=(None, 0.3))


@pytest.fixture(scope="module")
def about(analysis: normlaw.Analysis) -> About:
    runs = [str(run) for run in analysis.curves["run"].unique()]
    links = [
        RunLink(name=f"{EVIL} {i}", address=f"http://127.0.0.1:5000/#/runs/{i}", run=run)
        for i, run in enumerate(runs)
    ]
    return About(title=EVIL, links=Links(experiment="http://127.0.0.1:5000/#/experiments/1", runs=tuple(links)))


@pytest.fixture(scope="module")
def printed(analysis: normlaw.Analysis) -> dict[str, Printed]:
    return {name: Printed(figure, style.printed(figure)) for name, figure in figures(analysis).items()}


@pytest.fixture(scope="module")
def html(analysis: normlaw.Analysis, about: About, printed: dict[str, Printed]) -> str:
    with moving():
        return report(analysis, about, printed)


def test_a_report_is_one_file_of_moderate_size_and_the_same_each_time(
    analysis: normlaw.Analysis, about: About, html: str, printed: dict[str, Printed]
) -> None:
    assert len(html.encode()) < LARGEST / 2
    assert EVIL not in html
    assert "<img src=x" not in html
    found = json.loads(Scripts(html).read["motion"])
    assert found["items"].keys() == {"error_against_norm", "optimal_norm", "endpoint_law", "collapse", "moved"}
    assert set(found["addresses"]) == set(analysis.curves["run"])
    with moving():
        assert report(analysis, about, printed) == html


def test_curves_without_laws_move_too(analysis: normlaw.Analysis) -> None:
    found = NotFittedError("too few", analysis.curves, analysis.response)
    (drawing,) = found.figures(PAGE).values()
    with moving():
        page = unfitted_report("too few", found.points, {}, Printed(drawing, b"<svg/>"), About())
    carried = json.loads(Scripts(page).read["motion"])
    assert carried["items"].keys() == {"error_against_norm"}
    assert carried["moved"] is None
    assert EVIL not in page


def test_no_script_runs_but_the_two_that_the_page_names(html: str) -> None:
    from normlaw.analysis.interactive.embedding import library

    scripts = Scripts(html)
    assert scripts.policy.startswith("default-src 'none'; script-src 'sha256-")
    allowed = re.findall(r"'sha256-([^']+)'", scripts.policy)
    (own,) = scripts.run
    assert allowed == [_digest(own), _digest(library())]
    assert "unsafe" not in scripts.policy.partition("style-src")[0]


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_of_very_many_runs_each_shows_some_points() -> None:
    runs, points = 3000, 40
    curves = pd.DataFrame(
        {
            "run": np.repeat([f"r{i}" for i in range(runs)], points),
            "train_size": np.repeat(2 ** (5 + np.arange(runs) // 300), points),
            "log_norm": np.tile(np.linspace(0, 5, points), runs),
            "test_error": np.linspace(0.9, 0.1, runs * points),
        }
    )
    parts = list(single_runs(curves, {"r7": "seven"}))
    drawn = pd.concat(parts)
    assert len(parts) == 10
    assert drawn["run"].nunique() == runs
    assert 40_000 <= len(drawn) <= 60_000
    ends = drawn.groupby("run")["log10_norm"].agg(["min", "max"])
    assert np.allclose(ends, [0, 5 / np.log(10)])
    assert set(drawn.loc[drawn["run"] == "r7", "name"]) == {"seven"}
    few = pd.concat(single_runs(curves[:400]))
    assert np.array_equal(floats(few, "error"), floats(curves[:400], "test_error"))


@pytest.fixture
def opened(browser: Any, html: str, tmp_path: Path) -> Iterator[Any]:
    """Return the page in a browser without a network, and see that nothing failed or was asked for."""
    (tmp_path / "report.html").write_text(html)
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(r.url))
    page.set_default_timeout(240_000)
    page.goto((tmp_path / "report.html").as_uri())
    page.locator("body[data-moving]").wait_for()
    yield page
    context.close()
    assert wrong == []


def test_figures_move_without_a_network(opened: Any, analysis: normlaw.Analysis) -> None:
    page = opened
    assert page.locator("body").get_attribute("data-moving") == "5"
    assert page.locator("figure.moving img:visible").count() == 0
    assert page.locator("figure.moving .plot:visible").count() == 5
    gamma_0, gamma_1, gamma_2 = fitted_gammas(analysis)

    def expected(first: float, second: float) -> str:
        return told(moved_by(analysis.mean_curves, first, second, gamma_0), first, second)

    beside = page.locator("figure[data-figure=moved] [data-told]")
    assert beside.inner_text() == expected(gamma_1, gamma_2)
    slider = page.locator("input[name=gamma_2]")
    slider.focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    chosen = [float(page.locator(f"input[name={name}]").input_value()) for name in ("gamma_1", "gamma_2")]
    assert chosen[1] == pytest.approx(gamma_2 + 0.07, abs=0.006)
    assert beside.inner_text() == expected(*chosen) != expected(gamma_1, gamma_2)
    page.get_by_role("button", name="as fitted").click()
    assert beside.inner_text() == expected(gamma_1, gamma_2)
    page.get_by_label("figures as in print").check()
    assert page.locator("figure.moving img:visible").count() == 4
    page.get_by_label("figures as in print").uncheck()
    assert page.locator("figure.moving img:visible").count() == 0
    page.emulate_media(media="print")
    assert page.locator("figure.moving img:visible").count() == 4  # print has those in print
    assert page.locator(".plot:visible").count() == 0


def test_a_click_on_a_run_leads_to_mlflow_and_hostile_names_are_text(opened: Any, about: About) -> None:
    page = opened
    page.evaluate("window.open = (...asked) => { window.asked = asked; }")
    page.get_by_label("single runs").check()
    where = page.evaluate(
        """async () => {
          document.querySelector('figure[data-figure=error_against_norm] .plot').scrollIntoView();
          await new Promise((done) => setTimeout(done, 500));
          for (const view of Bokeh.index) {
            const line = view.model.renderers.find((each) => (each.name || '').startsWith('lines single run'));
            if (!line) continue;
            const {x, y, run} = line.data_source.data, box = view.canvas_view.el.getBoundingClientRect();
            const at = [view.frame.x_scale.compute(x[0][1]), view.frame.y_scale.compute(y[0][1])];
            return [box.x + at[0], box.y + at[1], run[0]];
          }
        }"""
    )
    page.mouse.move(*where[:2], steps=3)
    page.get_by_text("click for its page").first.wait_for()
    page.mouse.click(*where[:2])
    assert about.links is not None
    addresses = {run.run: run.address for run in about.links.runs}
    assert page.evaluate("window.asked")[0] in addresses.values()


def test_without_scripts_the_figures_are_those_in_print(browser: Any, html: str, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(html)
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator("figure img:visible").count() == html.count("<figure") - 1 == 4
    for hidden in (".plot", "#choices", "figure.moved"):
        assert page.locator(hidden).first.is_hidden()
    context.close()


def test_studies_are_compared_in_motion_and_readable_without_scripts(
    analysis: normlaw.Analysis, browser: Any, tmp_path: Path
) -> None:
    html = comparison_page({EVIL: analysis.to_dict(), "cnn_cifar10": analysis.to_dict()})
    assert len(html.encode()) < LARGEST / 2
    assert EVIL not in html
    assert "<img src=x" not in html
    (tmp_path / "comparison.html").write_text(html)
    context = browser.new_context(offline=True)
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
    page.goto((tmp_path / "comparison.html").as_uri())
    page.locator("body[data-moving='1']").wait_for()
    marks = page.evaluate(
        """() => Bokeh.documents.flatMap(d => d.roots()).flatMap(r => r.renderers)
          .filter(r => r.name && r.name.startsWith("marks "))
          .map(r => [r.name.slice(6), r.data_source.data, r.glyph.fill_color.value])"""
    )
    context.close()
    assert wrong == []
    found = {name: (data["x"][0], data["y"][0], fill) for name, data, fill in marks}
    here, published = found["cnn_cifar10"], found["cnn_cifar10 (published)"]
    measured, predicted = (analysis.estimates()[name].value for name in ("gamma_meas", "gamma_pred"))
    assert here[:2] == pytest.approx((measured, predicted))
    assert published == (0.25, 0.28, "white") != here
    assert EVIL in found
    assert len(found) == 9 + 2
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "comparison.html").as_uri())
    assert page.locator("figure img").is_visible()
    assert not page.locator("#choices").is_visible()
    context.close()
