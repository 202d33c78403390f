"""The page in a browser while a real study trains, beside others: each view opened and used.

Each is photographed where NORMLAW_SCREENSHOTS names a folder for the pictures.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import normlaw
from normlaw.tracking.client import connect
from normlaw.tracking.imported import import_curves
from normlaw_tests.pages import ask
from normlaw_tests.photographs import photograph
from normlaw_tests.servers import free_port
from normlaw_tests.two_settings import import_frame, two_settings, work_in
from normlaw_tests.waiting import wait_until

pytestmark = pytest.mark.slow
STUDY: dict[str, Any] = {
    "name": "followed",
    "fixed": {
        "architecture": {"name": "mlp", "params": {"hidden": [16]}},
        "dataset": "digits",
        "optimizer": {"name": "adam", "learning_rate": 1e-3},
        "batch_size": 16,
        "steps": 900,
        "measuring_points": 30,
        "measures": ["spectral_complexity_kernel", "weight_norm"],
    },
    "vary": {"train_size": [40, 120, 360], "seed": [0, 1]},
    "analysis": {"protocol": "automatic"},
}


PAUSE = 100.0
"""Milliseconds between looks at a page that is waited for, which is drawn anew for each."""
MANY = 1002
"""Runs of the largest study: more than MLflow gives in one answer."""


def many_runs(points: int = 8) -> pd.DataFrame:
    """Return the curves of a large study, short ones."""
    number, x = np.arange(MANY), np.linspace(0, 5, points)
    size = 2 ** (5 + number % 6)
    error = 0.8 * np.exp(-0.3 * x)[None, :] + 0.3 * (size**-0.4)[:, None]
    return pd.DataFrame(
        {
            "train_size": np.repeat(size, points),
            "seed": np.repeat(number // 6, points),
            "step": np.tile(np.arange(points), MANY),
            "test/error": error.ravel(),
            "log_norm/weight_norm": np.tile(x, MANY),
        }
    )


@dataclass
class Opened:
    """A page in a browser, with what went wrong in it."""

    page: Any
    address: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        self.page.goto(self.address + path)
        return self.page

    def drawn(self, figure: str) -> int:
        """Return how often a figure was drawn."""
        return int(self.page.locator(f"figure[data-figure={figure}]").get_attribute("data-drawn") or 0)

    def wait_for_drawing(self, figure: str, times: int = 1) -> None:
        where = f"figure[data-figure={figure}]"
        self.page.wait_for_function(
            "([where, times]) => Number(document.querySelector(where)?.dataset.drawn || 0) >= times",
            arg=[where, times],
            polling=PAUSE,
        )


@pytest.fixture(scope="module")
def training(
    lasting_nursery: Any,
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: Path,
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """Serve the page of a folder in which a study begins to train beside others; yield its address."""
    folder = tmp_path_factory.mktemp("followed")
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch, empty_database)
        import_frame(two_settings(2), "compared")
        normlaw.analyse("compared", norm="first", protocol="released", window=(None, 0.3))
        import_curves(connect(f"sqlite:///{folder}/mlflow.db"), "many", many_runs(), "made.csv")
        exact = {"examples": [30, 60, 120, 240], "time": np.geomspace(1, 1e4, 12).tolist()}
        normlaw.theory("random_features", axes=exact, params={"modes": 300}, study="exact")
    (folder / "followed.yaml").write_text(yaml.safe_dump(STUDY))
    port = free_port()
    page = (Path(__file__).parents[3] / "docs" / "page.md").read_text()
    command = page.partition("```sh\n")[2].splitlines()[0].split()[1:]  # as the docs say
    server = lasting_nursery.launch(folder, *command, "--port", str(port), out=folder / "served.txt")
    address = f"http://127.0.0.1:{port}"
    wait_until(lambda: _answers(address), while_running=server, pause=0.1)
    request.getfixturevalue("browser")  # which takes long to start on a busy machine, and training does not
    trained = lasting_nursery.launch(folder, "run", "followed.yaml", "--max-parallel", "1")
    begun = folder / ".normlaw" / "journal" / "followed"
    wait_until(lambda: any(begun.glob("*.jsonl")), while_running=trained, pause=0.1)
    wait_until(lambda: ask(address, "/study", ("study", "followed")).status == 200, pause=0.2)
    yield address
    os.kill(server, signal.SIGINT)
    assert lasting_nursery.wait(server) == 130
    assert "The page: http://127.0.0.1" in (folder / "served.txt").read_text()
    assert lasting_nursery.wait(trained) == 0


def _answers(address: str) -> bool:
    try:
        return ask(address, "/static/page.css").status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def tab(training: str, browser: Any) -> Iterator[Any]:
    """Return a browser's tab, one for all tests: each of its own is a process, which compiles Bokeh anew."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(240_000)  # on the slowest machine; what hangs fails
    yield page
    page.close()


@pytest.fixture
def opened(training: str, tab: Any) -> Iterator[Opened]:
    """Return the tab, and see that nothing failed in it and nothing was asked of elsewhere."""
    found = Opened(tab, training)
    noted = {
        "pageerror": lambda error: found.wrong.append(str(error)),
        "console": lambda line: found.wrong.append(line.text) if line.type == "error" else None,
        "request": lambda r: (
            None if r.url.startswith((training, "data:", "blob:")) else found.wrong.append(r.url)
        ),
    }
    for what, note in noted.items():
        tab.on(what, note)
    yield found
    tab.goto("about:blank")
    for what, note in noted.items():
        tab.remove_listener(what, note)
    assert found.wrong == []


def test_a_study_is_seen_as_it_trains_and_its_figures_are_downloaded(opened: Opened, tmp_path: Path) -> None:
    page = opened.open("/progress?study=followed")
    page.get_by_role("cell", name=re.compile(r"^mlp digits P=")).first.wait_for()
    page.get_by_text(re.compile(r"\d+/900")).first.wait_for()
    photograph(page, "page-progress.png")
    opened.open("/study?study=followed")
    opened.wait_for_drawing("error_against_norm", 3)  # moves on by itself
    page.locator("figure[data-figure=local_exponent], figure[data-figure=endpoint_law]").first.wait_for()
    page.get_by_text("6 of 6 runs finished").wait_for()
    opened.wait_for_drawing("endpoint_law")
    photograph(page, "page-study.png", full_page=True)
    for kind, begin in (("SVG", b"<?xml"), ("PNG", b"\x89PNG"), ("CSV", b"series,")):
        with page.expect_download() as loading:
            page.locator("figure[data-figure=endpoint_law]").get_by_role("link", name=kind).click()
        path = tmp_path / loading.value.suggested_filename
        loading.value.save_as(path)
        assert path.name == f"endpoint_law.{kind.lower()}"
        assert path.read_bytes().startswith(begin)
    page.get_by_role("link", name="The runs shown").click()
    page.wait_for_url(re.compile("/runs"))
    assert page.get_by_role("link", name=re.compile("^mlp digits P=")).count() == 6  # as by clicks on curves


def test_a_study_of_more_than_a_thousand_runs_is_drawn(opened: Opened) -> None:
    page = opened.open("/study?study=many&x=step&single=1&protocol=automatic")
    page.get_by_text(f"{MANY:,} of {MANY:,} runs finished").wait_for()
    opened.wait_for_drawing("error_against_norm")
    lines = page.evaluate(
        """() => Bokeh.documents.flatMap(d => d.roots()).flatMap(r => r.renderers)
          .filter(r => (r.name || '').startsWith('lines single run')).map(r => r.data_source.data.x.length)"""
    )
    assert lines == [MANY // 6] * 6
    opened.wait_for_drawing("moved")
    page = opened.open("/progress?study=many")
    page.get_by_text(f"{MANY:,} of {MANY:,} runs finished").wait_for()


def test_curves_of_a_theory_are_drawn_with_their_laws(opened: Opened) -> None:
    page = opened.open("/study?study=exact")
    page.get_by_text("4 of 4 runs finished").wait_for()
    opened.wait_for_drawing("local_exponent")
    for figure in ("error_against_norm", "moved", "endpoint_law"):
        opened.wait_for_drawing(figure)
    photograph(page, "page-theory.png", full_page=True)


def test_studies_are_compared(opened: Opened, tmp_path: Path) -> None:
    page = opened.open("/")
    page.get_by_role("link", name="Compare", exact=True).click()
    page.wait_for_load_state()
    box = page.get_by_role("group", name="studies").get_by_label("compared")
    box.check()  # the form goes as soon as something is chosen
    page.wait_for_url(re.compile("study=compared"))
    assert box.is_checked()
    table = page.get_by_role("table").filter(has_text="p is two-sided")
    exponents = table.get_by_role("row").filter(has_text="optimizer.weight_decay=0.1")
    assert exponents.count() == 4  # a difference of each exponent
    assert page.get_by_role("row", name=re.compile("^cnn_cifar100")).get_by_text("not analysed").is_visible()
    opened.wait_for_drawing("comparison")
    drawn = "Bokeh.documents.flatMap(d => d.roots()).flatMap(r => r.renderers).map(r => r.name)"
    assert "marks compared optimizer.weight_decay=0.1" in page.evaluate(drawn)
    for kind, begin in (("SVG", b"<?xml"), ("CSV", b"study,")):
        with page.expect_download() as loading:
            page.get_by_role("link", name=kind).click()
        loading.value.save_as(tmp_path / "file")
        assert (tmp_path / "file").read_bytes().startswith(begin)
    photograph(page, "page-compare.png", full_page=True)
    opened.open("/compare?study=followed")  # not analysed: told, not broken off
    page.get_by_text("no analysis of").wait_for()


def test_sliders_move_the_collapse_and_a_link_keeps_the_view(opened: Opened) -> None:
    page = opened.open("/study?study=followed&single=1")
    opened.wait_for_drawing("moved")
    slider = page.locator("input[name=gamma_1]")
    told = page.locator("figure[data-figure=moved] output[data-told]")
    before, spread = opened.drawn("moved"), told.inner_text()
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    opened.wait_for_drawing("moved", before + 1)
    page.locator("input[name=gamma_2]").press("End")  # far from what fits: the words say more than a last digit
    page.wait_for_function(
        "before => document.querySelector('[data-figure=moved] output[data-told]').textContent !== before",
        arg=spread,
        polling=PAUSE,
    )
    page.locator("select[name=x]").select_option("log_norm/weight_norm")
    page.wait_for_url(re.compile("x=log_norm"))
    assert "gamma_1" not in page.url  # a form of its own begins anew
    assert "single=1" in page.url
    opened.wait_for_drawing("moved")
    page.locator("input[name=gamma_2]").press("ArrowRight")
    page.wait_for_url(re.compile("gamma_2="))
    opened.open(page.url.removeprefix(opened.address))
    assert page.locator("input[name=single]").is_checked()
    assert page.locator("select[name=x]").input_value() == "log_norm/weight_norm"
    assert (
        page.locator("input[name=gamma_2]").input_value()
        == page.url.rpartition("gamma_2=")[2].partition("&")[0]
    )


def test_news_bring_figures_and_take_no_slider_out_of_the_hand_and_no_choice_back(opened: Opened) -> None:
    page = opened.open("/study?study=followed")
    opened.wait_for_drawing("endpoint_law")
    page.locator("input[name=gamma_1]").press("ArrowRight")
    before = opened.drawn("moved")
    order = "[...document.querySelectorAll('figure[data-figure]')].map(each => each.dataset.figure)"
    figures = page.evaluate(order)
    page.evaluate(
        """() => new Promise(done => {
          // as a page is that was opened before the first fit, and after one that drew something else; as soon
          // as news were heard, for others that are on their way would be of the page as it was
          new MutationObserver((_, observer) => {
            observer.disconnect();
            window.opened = true;
            const figures = [...document.querySelectorAll("figure[data-figure]")];
            const other = figures.at(-1).cloneNode(true);
            figures.slice(2).forEach(figure => figure.remove());
            other.dataset.figure = "of_other_laws";
            figures[1].after(other);
            document.body.dataset.version = "none-yet";
            done();
          }).observe(document.body, {attributes: true, attributeFilter: ["data-heard"]});
        })"""
    )
    opened.wait_for_drawing("endpoint_law")
    opened.wait_for_drawing("moved", before + 1)
    assert page.evaluate(order) == figures
    assert page.evaluate("window.opened")  # not asked for anew
    assert page.evaluate("document.activeElement.name") == "gamma_1"
    assert "gamma_1=" in page.url
    page.evaluate(
        """() => {
          const ask = window.fetch;
          window.fetch = async (path) => {
            if (!path.startsWith("/news")) return ask(path);
            const box = document.querySelector("input[name=single]");
            if (!box.checked) box.click();  // chosen while the answer is on its way
            return new Response(JSON.stringify({version: "another", parts: {}, figures: [], changed: []}));
          };
        }"""
    )
    page.wait_for_url(re.compile("single=1"))


def test_a_click_on_a_curve_leads_to_its_run(opened: Opened) -> None:
    page = opened.open("/study?study=followed&single=1&size=120&seed=1")
    opened.wait_for_drawing("error_against_norm")
    where = page.evaluate(
        """() => {
          const plot = document.querySelector('figure[data-figure=error_against_norm] .plot');
          const model = Bokeh.documents.map(d => d.get_model_by_name('lines single run P=120')).find(m => m);
          const views = Object.values(Bokeh.index).length ? Object.values(Bokeh.index) : [...Bokeh.index];
          for (const view of views) {
            const frame = view.frame;
            const line = frame && view.model.renderers.includes(model) && model.data_source.data;
            if (!line) continue;
            const middle = Math.floor(line.x[0].length / 2);
            const box = view.canvas_view.el.getBoundingClientRect();
            const across = frame.x_scale.compute(line.x[0][middle]);
            return [box.x + across, box.y + frame.y_scale.compute(line.y[0][middle])];
          }
        }"""
    )
    page.mouse.click(*where)
    page.wait_for_url(re.compile("/run\\?study=followed&run="))

    def is_at_mlflow() -> bool:  # where a run is sent to only once it has ended
        page.reload()
        return bool(page.get_by_role("link", name="Its run at MLflow").count())

    wait_until(is_at_mlflow, pause=0.2)
    assert "train_size: 120" in page.inner_text("pre")
    photograph(page, "page-run.png")


def test_whoever_uses_keys_or_a_screen_reader_finds_everything(opened: Opened) -> None:
    page = opened.open("/")
    page.get_by_role("link", name="followed").first.wait_for()
    photograph(page, "page-studies.png")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "to the content"
    for path in ("/", "/progress?study=followed", "/compare", "/study?study=followed"):
        if path != "/":  # which is open
            opened.open(path)
        bare = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select')].filter("
            "e => !e.labels.length && !e.getAttribute('aria-label')).map(e => e.outerHTML)"
        )
        assert bare == [], path
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        nameless = "[...document.querySelectorAll('a, button')].filter(e => !e.textContent.trim()).length"
        assert page.evaluate(nameless) == 0
    opened.wait_for_drawing("endpoint_law")
    session = page.context.new_cdp_session(page)
    for kind in ("achromatopsia", "deuteranopia"):  # to be looked at by eye
        session.send("Emulation.setEmulatedVisionDeficiency", {"type": kind})
        photograph(page, f"page-{kind}.png")
    session.detach()
    assert page.get_by_role("figure", name="Curves").get_by_role("img").get_attribute("aria-label")


def test_the_words_stand_out_from_the_paper() -> None:
    style = (Path(__file__).parents[3] / "platform" / "normlaw" / "page" / "static" / "page.css").read_text()
    named = dict(re.findall(r"--(\w+): (#\w+);", style))
    for word in ("ink", "quiet", "accent", "blue"):
        for paper in ("#ffffff", "#fbf3ee", "#eef5fa", "#f6f6f6"):
            assert _contrast(named[word], paper) >= 4.5, (word, paper)  # WCAG 2.2, level AA


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        wide = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
        parts = [int(wide[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
