"""What docs/mlflow.md promises, on a real server: each query, and the pages in a browser (Debian's Chromium).

The pictures of the docs are taken on the way where NORMLAW_SCREENSHOTS names a folder for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from normlaw_tests.photographs import ALBUM, photograph

PAGE = (Path(__file__).parents[3] / "docs" / "mlflow.md").read_text()


@pytest.fixture(scope="module")
def duel(lasting_nursery: Any, mlflow_server: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Train and analyse the page's study by the page's commands; return all its runs."""
    folder = tmp_path_factory.mktemp("duel")
    study = re.search(r"<!-- example: study -->\s*```yaml\n(.+?)```", PAGE, re.DOTALL)
    commands = re.search(r"```sh\n(normlaw run .+?)```", PAGE, re.DOTALL)
    assert study
    assert commands
    quick = "" if ALBUM else "analysis: {protocol: automatic}\n"  # any laws will do, but for pictures
    (folder / "duel.yaml").write_text(study[1] + quick)
    own = {"MLFLOW_TRACKING_URI": mlflow_server.uri}
    own["MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"] = (
        "0.5"  # the launch may last less than the usual ten seconds
    )
    for line in commands[1].strip().splitlines():
        program, *arguments = line.split()
        assert program == "normlaw"
        done = lasting_nursery.done(folder, *arguments, env=own)
        assert done.returncode == 0, done.stderr
    client = MlflowClient(mlflow_server.uri)
    experiment = client.get_experiment_by_name("duel")
    return list(client.search_runs([experiment.experiment_id], max_results=100))


def value(run: Run, name: str) -> float:
    """Return a metric, or NaN, of which no comparison holds."""
    return run.data.metrics.get(name, float("nan"))


def kind(run: Run) -> str:
    return run.data.tags["normlaw.kind"]


def digest(run: Run) -> str | None:
    return run.inputs.dataset_inputs[0].dataset.digest if run.inputs.dataset_inputs else None


MEANINGS: dict[str, Callable[[Run, dict[str, str]], bool]] = {
    "laws of ViTs that promise": lambda run, _: (
        run.data.params.get("architecture") == "vit" and value(run, "gamma_pred") > 0.2
    ),
    "laws whose predicted exponent": lambda run, _: value(run, "gamma_pred_ci_low") > 0,
    "analyses without a warning": lambda run, _: (
        kind(run) == "analysis" and run.data.params["warnings"] == "none"
    ),
    "studies in which the laws hold": lambda run, _: run.data.params.get("verdict") == "hold",
    "laws that do not explain": lambda run, _: "laws_disagree" in run.data.params.get("warnings", ""),
    "analyses in a norm": lambda run, _: kind(run) == "analysis",
    "the larger runs": lambda run, _: kind(run) == "training" and int(run.data.params["train_size"]) > 100,
    "runs of one train size": lambda run, _: run.info.run_name.endswith("P=480 seed=0"),
    "runs that end below": lambda run, _: value(run, "test/error") < 0.3,
    "CNNs that were better": lambda run, _: (
        run.info.run_name.startswith("cnn") and value(run, "optimum/test_error") < 0.3
    ),
    "runs that fit": lambda run, _: value(run, "train/error") < 0.01,
    "runs of one optimiser": lambda run, _: kind(run) != "launch",
    "runs on the very same": lambda run, known: digest(run) == known["DIGEST"],
    "runs of one launch": lambda run, _: kind(run) in ("launch", "training"),
    "runs by name": lambda run, _: kind(run) == "training" and run.data.params["architecture"] == "vit",
    "what failed": lambda run, _: run.info.status != "FINISHED",
}
"""Begin of a row of the table -> whether a run is what the row says, found out without the query."""
MAY_BE_NONE = (
    "laws of ViTs",
    "laws whose",
    "analyses without",
    "studies in which",
    "laws that do not",
    "runs that fit",
    "what failed",
)


def queries() -> list[tuple[str, str]]:
    table = PAGE.partition("<!-- queries -->")[2].partition("\n\n")[0]
    return re.findall(r"^\| ([^|`]+) \| ``(.+?)`` \|$", table, re.MULTILINE)


def test_the_table_has_at_least_twelve_queries_and_each_a_meaning() -> None:
    assert len(queries()) >= 12
    for what, _ in queries():
        assert len([begin for begin in MEANINGS if what.startswith(begin)]) == 1, what


@pytest.mark.slow
@pytest.mark.parametrize(("what", "query"), queries())
def test_a_query_finds_what_the_page_says(what: str, query: str, duel: list[Run], mlflow_server: Any) -> None:
    largest = next(run for run in duel if run.info.run_name == "vit digits P=480 seed=0")
    known = {"DIGEST": str(digest(largest)), "LAUNCH": largest.data.tags["normlaw.launch"]}
    for name, found in known.items():
        query = query.replace(name, found)
    meant = next(meaning for begin, meaning in MEANINGS.items() if what.startswith(begin))
    client = MlflowClient(mlflow_server.uri)
    answer = client.search_runs([largest.info.experiment_id], query, max_results=100)
    expected = {run.info.run_name for run in duel if meant(run, known)}
    assert {run.info.run_name for run in answer} == expected
    assert expected or what.startswith(MAY_BE_NONE)


DRAWN = ".js-plotly-plot .main-svg"
"""A chart whose axes and lines are there, not only its heading."""
PAUSE = 100.0
"""Milliseconds between looks at a page that is waited for, which is drawn anew for each."""
CARD = "[data-testid='experiment-view-compare-runs-card']"


def walk(name: str) -> list[str]:
    """Return what the page's steps of that name tell to click on, in order."""
    steps = PAGE.partition(f"<!-- walk: {name} -->")[2].partition("\n\n")[0]
    words = re.findall(r"[*`]([^*`]+)[*`]|the (chart view)|its (three dots)", steps)
    return ["".join(parts) for parts in words]


def choose_chart_view(page: Any) -> None:
    """Choose the second of the buttons before the field for searching."""
    page.locator("label:has(input[name='runs-view-mode'])").nth(1).click()


def lines_of(page: Any, metric: str) -> int:
    """Return how many lines the chart of a metric has, once it has any."""
    card = page.locator(CARD, has_text=metric).first
    card.locator(".scatterlayer .js-line").first.wait_for()
    drawn = "lines => lines.map(line => line.getAttribute('d'))"
    return len(set(card.locator(".scatterlayer .js-line").evaluate_all(drawn)))  # each is there twice


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Any]:
    """Return a browser's tab, one for all tests: each of its own is a process, which compiles MLflow anew."""
    page = browser.new_page(viewport={"width": 1560, "height": 860}, reduced_motion="reduce")
    page.set_default_timeout(0)  # pytest-timeout ends a test that hangs
    yield page
    page.close()


@pytest.fixture
def duel_page(duel: list[Run], tab: Any, mlflow_server: Any) -> Any:
    """Return the page of the study's experiment, opened as the docs say, for a reader who was never there."""
    page = tab
    page.goto("about:blank")
    session = page.context.new_cdp_session(page)
    everything = {"origin": mlflow_server.uri, "storageTypes": "all"}
    session.send("Storage.clearDataForOrigin", everything)
    session.detach()
    page.goto(f"{mlflow_server.uri}/#/experiments")
    page.get_by_text("Model training").click()
    page.get_by_role("link", name="duel", exact=True).first.click()
    page.get_by_text("matching runs").wait_for()
    close = page.locator("[data-component-id='mlflow.assistant.chat_panel.close']")
    if close.count():
        close.click()
    return page


@pytest.mark.slow
def test_the_view_of_the_laws_is_three_clicks_away(duel: list[Run], duel_page: Any) -> None:
    page = duel_page
    views, view, chart = walk("view")
    page.get_by_role("button", name=views, exact=True).click()
    page.locator("[data-testid^='saved-views-item']", has_text=view).click()
    page.wait_for_function(
        "[...document.querySelectorAll('input')].some(i => i.value.includes('!= \\'launch'))", polling=PAUSE
    )
    assert chart == "chart view"
    choose_chart_view(page)
    assert lines_of(page, "test/error") == len([run for run in duel if kind(run) == "training"])
    axes = page.locator(CARD, has_text="test/error").first
    axes.get_by_text("log_norm/spectral_complexity_kernel", exact=True).first.wait_for()
    photograph(page, "mlflow-against-norm.png")


@pytest.mark.slow
def test_the_chart_view_shows_curves_at_once_and_any_chart_takes_a_norm_as_its_axis(duel_page: Any) -> None:
    page = duel_page
    choose_chart_view(page)  # no filter, and the sort that MLflow begins with
    page.wait_for_function("s => document.querySelectorAll(s).length > 2", arg=DRAWN, polling=PAUSE)
    area = page.locator("[data-testid='experiment-view-compare-runs-chart-area']")
    assert re.findall(r"(\w+) ?\((\d+)\)", " ".join(area.inner_text().split()))[0] == ("log_norm", "2")
    photograph(page, "mlflow-curves.png")

    said = walk("by hand")
    assert said == [
        "chart view", "test/error", "Search metric charts", "three dots", "Configure", "X-axis", "Metric",
        "log_norm/spectral_complexity_kernel", "Y-axis", "Log scale", "Save changes",
    ]  # fmt: skip
    page.get_by_placeholder(said[2]).fill(said[1])
    page.locator(CARD, has_text=said[1]).first.wait_for()
    page.locator("[data-testid='experiment-view-compare-runs-card-menu']").first.click()
    page.get_by_role("menuitem", name=said[4]).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(said[5], exact=True).wait_for()
    dialog.locator("label", has_text=re.compile(f"^{said[6]}")).locator("input[type=radio]").click()
    dialog.get_by_role("combobox").first.fill(said[7])
    page.get_by_test_id(f"metric-{said[7]}").click()
    dialog.get_by_text(said[8], exact=True).wait_for()
    dialog.get_by_role("switch").first.click()
    dialog.get_by_role("button", name=said[10]).click()
    chart = page.locator(CARD, has_text=said[1]).first
    chart.get_by_text(said[7], exact=True).first.wait_for()
    assert lines_of(page, said[1]) == 8


@pytest.mark.slow
def test_a_reader_finds_everything_in_a_browser(duel: list[Run], duel_page: Any, mlflow_server: Any) -> None:
    page = duel_page

    # Runs side by side, and the launch that trained them.
    launch = next(run for run in duel if kind(run) == "launch")
    page.get_by_role("link", name=launch.info.run_name).wait_for()
    assert page.get_by_role("link", name=re.compile("^(cnn|vit) digits")).count() == 8
    photograph(page, "mlflow-runs.png")

    # The note: description, table, and a figure that the server really has.
    page.locator("[data-component-id='mlflow.experiment.metadata_editor.expand_button']").click()
    page.get_by_role("cell", name="architecture=vit").wait_for()
    assert "small enough for a minute" in page.inner_text("body")
    page.wait_for_function(
        "[...document.images].some(i => i.src.includes('error_against_norm') && i.naturalWidth > 100)",
        polling=PAUSE,
    )
    photograph(page, "mlflow-experiment.png")
    shown = page.get_by_role("link", name="Test error against norm").get_attribute("href")
    assert "compareRunsMode=CHART" in shown
    page.locator("[data-component-id='mlflow.experiment.metadata_editor.collapse_button']").click()

    search = page.get_by_placeholder("metrics.rmse")

    def look_for(query: str, expected: int) -> None:
        search.fill(query)
        search.press("Enter")
        page.get_by_text(re.compile(rf"^{expected} matching run")).wait_for()

    # Filter, and sort by gamma_pred.
    look_for("tags.`normlaw.kind` = 'analysis'", 2)
    page.get_by_test_id("sort-select-dropdown").click()
    page.keyboard.type("gamma_pred")
    page.get_by_test_id("sort-select-gamma_pred").click()
    laws = sorted((run for run in duel if kind(run) == "analysis"), key=lambda run: -value(run, "gamma_pred"))
    page.wait_for_function(  # rows that are sorted keep their places in the document and move on the screen
        "names => JSON.stringify("
        "[...document.querySelectorAll('a')].filter(a => a.innerText.startsWith('laws '))"
        ".sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y).map(a => a.innerText)"
        ") == JSON.stringify(names)",
        arg=[run.info.run_name for run in laws],
        polling=PAUSE,
    )
    photograph(page, "mlflow-sorted.png")
    vit = next(run for run in laws if run.data.params["architecture"] == "vit")
    look_for(f'params.architecture = "vit" and metrics.gamma_pred > {value(vit, "gamma_pred") - 1e-6}', 1)
    page.get_by_role("link", name="laws architecture=vit").wait_for()

    # The report, in the artifact viewer.
    page.goto(f"{mlflow_server.uri}/#/experiments/{vit.info.experiment_id}/runs/{vit.info.run_id}/artifacts")
    page.get_by_text("report.html").click()
    report = page.frame_locator("iframe").first
    report.get_by_role("heading", name="Laws of duel: architecture=vit").wait_for()
    report.get_by_text("gamma_pred").first.wait_for()
    photograph(page, "mlflow-report.png")
    page.goto(
        f"{mlflow_server.uri}/#/experiments/{vit.info.experiment_id}/runs/{launch.info.run_id}/system-metrics"
    )
    page.get_by_text("cpu_utilization_percentage").first.wait_for()
    page.wait_for_function("s => document.querySelectorAll(s).length > 5", arg=DRAWN, polling=PAUSE)
    photograph(page, "mlflow-system.png")
