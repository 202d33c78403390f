"""The page as a server answers it, without a browser."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

import normlaw
from normlaw.page.serving import PageServer, page_server
from normlaw.verbs.serve import answers_for
from normlaw_registry import InputError
from normlaw_tests.pages import ask, served
from normlaw_tests.two_settings import import_frame, of_the_first, two_settings, work_in
from normlaw_tests.waiting import wait_until

pytestmark = pytest.mark.slow
QUICK = ("protocol", "automatic")
"""Of a view: fits its laws, which it does as soon as it is asked for, in a tenth of the default's time."""
HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[PageServer]:
    """Serve a store with an analysed study of two settings, one of one, and one of hostile names."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch, empty_database)
        patch.delenv("NORMLAW_PAGE_TOKEN", raising=False)
        import_frame(two_settings(2), "mine", "made.csv")
        import_frame(of_the_first(two_settings(2)), "other")
        normlaw.analyse("mine", norm="first", protocol="released", window=(None, 0.3))
        losses = of_the_first(two_settings(1)).drop(columns=["test/error", "train/error"])
        import_frame(losses, "losses")
        exact = {"examples": [30, 60, 120, 240], "time": np.geomspace(1, 1e4, 12).tolist()}
        for study in ("exact", "losses"):
            normlaw.theory("random_features", axes=exact, params={"modes": 300}, study=study)
        import_frame(of_the_first(two_settings(1)), "third")
        client = MlflowClient()
        third = client.get_experiment_by_name("third")
        client.rename_experiment(third.experiment_id, HOSTILE)
        for run in client.search_runs([third.experiment_id]):
            client.set_tag(run.info.run_id, "mlflow.runName", HOSTILE)
        with served(folder / "home") as server:
            yield server


def test_studies_are_listed_searched_and_sorted(page: PageServer) -> None:
    listed = ask(page.address, "/")
    assert listed.status == 200
    assert "16/16" in listed.text
    assert "weight_decay=0.1" in listed.text
    assert "other" not in ask(page.address, "/", ("q", "MINE 0.1")).text
    assert "No study has nothing of the kind" in ask(page.address, "/", ("q", "nothing of the kind")).text
    up = re.findall(r"weight_decay=(0\.\d)", ask(page.address, "/", ("sort", "gamma_1")).text)
    down = re.findall(r"weight_decay=(0\.\d)", ask(page.address, "/", ("sort", "gamma_1"), ("down", "1")).text)
    assert [v for v in up if v != "0.10"][::2] == [v for v in down if v != "0.10"][::-2]
    assert ask(page.address, "/", ("sort", "secret")).status == 404


def test_a_view_is_drawn_fitted_and_downloaded(page: PageServer) -> None:
    view = (("study", "mine"), ("setting", "optimizer.weight_decay=0.1"), QUICK)
    shown = ask(page.address, "/study", *view)
    assert 'value="log_norm/second"' in shown.text

    def news() -> dict[str, object]:
        found: dict[str, object] = json.loads(ask(page.address, "/news", *view, ("page", "study")).content)
        return found

    wait_until(lambda: "endpoint_law" in str(news()["figures"]), pause=0.2)
    assert "std. error" in str(news()["parts"])
    answer = json.loads(ask(page.address, "/data", *view, ("figure", "error_against_norm")).content)
    whole = ask(page.address, "/data", *view, ("figure", "error_against_norm"))
    assert json.loads(whole.content)["item"]["doc"] == answer["item"]["doc"]  # drawn once: the same names
    again = ("have", answer["signature"])
    numbers = json.loads(ask(page.address, "/data", *view, ("figure", "error_against_norm"), again).content)
    assert numbers["data"].keys() == set(answer["keys"])
    assert news()["changed"] == news()["figures"]  # whoever has seen nothing draws all
    version = str(news()["version"])
    moved_on = ("have", f"other-{version.partition('-')[2]}")
    later = json.loads(ask(page.address, "/news", *view, ("page", "study"), moved_on).content)
    assert later["changed"] == ["error_against_norm", "moved"]  # by the same laws
    moved = json.loads(ask(page.address, "/data", *view, ("figure", "moved"), ("gamma_1", "0.5")).content)
    assert moved["gammas"]["gamma_1"] == 0.5
    assert "spread between train sizes" in moved["told"]
    for ending, begin in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("csv", b"series,")):
        for figure in ("error_against_norm", "moved", "endpoint_law"):
            file = ask(page.address, "/figure", *view, ("figure", figure), ("ending", ending))
            assert file.content.startswith(begin), (figure, ending)
    assert "no figure 'nothing'" in ask(page.address, "/figure", *view, ("figure", "nothing")).text.replace(
        "&#39;", "'"
    )
    few = ask(
        page.address, "/figure", *view, ("size", "100"), ("figure", "error_against_norm"), ("ending", "csv")
    )
    assert set(re.findall(r"mean over runs,(\d+)", few.text)) == {"100"}
    steps = ask(
        page.address, "/figure", *view, ("x", "step"), ("figure", "error_against_norm"), ("ending", "csv")
    )
    assert "envelope" not in steps.text


def test_curves_of_a_theory_are_shown_as_trained_ones_are(page: PageServer) -> None:
    assert re.search(r"study=exact.*?4/4", ask(page.address, "/", ("q", "exact")).text, re.DOTALL)
    study = ("study", "exact")
    assert "4 of 4 runs finished" in ask(page.address, "/progress", study).text
    shown = ask(page.address, "/study", study)
    assert '<option value="log_norm/time">time</option>' in shown.text
    assert '<option value="test_loss" selected>' in shown.text  # no error is known of a regression

    def figures() -> str:
        return str(json.loads(ask(page.address, "/news", study, ("page", "study")).content)["figures"])

    wait_until(lambda: "local_exponent" in figures(), pause=0.2)
    numbers = ask(page.address, "/figure", study, ("figure", "error_against_norm"), ("ending", "csv")).text
    assert re.findall(r"mean over runs,(\d+)", numbers).count("240") == 12
    assert '<a href="/runs?study=exact">' in shown.text
    run = re.search(r"/run\?study=exact&amp;run=(\w+)", ask(page.address, "/runs", study).text)
    assert run
    assert "theory.modes: 300" in ask(page.address, "/run", study, ("run", run[1])).text


def test_what_a_study_measured_and_its_theory_are_settings_of_one_page(page: PageServer) -> None:
    study, exact = ("study", "losses"), ("setting", "theory=random_features")
    assert "8 of 8 runs finished" in ask(page.address, "/progress", study).text
    own = ask(page.address, "/study", study, QUICK).text
    assert "what was measured" in own
    assert '<option value="log_norm/first" selected>' in own
    assert "log_norm/time" not in own
    theirs = ask(
        page.address, "/study", study, exact, QUICK, ("x", "log_norm/first")
    ).text  # chosen for the other
    assert '<option value="log_norm/weight_norm" selected>norm</option>' in theirs
    assert "log_norm/first" not in theirs
    wrong = ask(page.address, "/study", study, ("x", "log_norm/firts"))
    assert wrong.status == 404
    assert "did you mean log_norm/first or" in wrong.text


def test_a_run_leads_to_mlflow(page: PageServer) -> None:
    shown = ask(page.address, "/runs", ("study", "other")).text
    run = re.search(r"/run\?study=other&amp;run=(\w+)", shown)
    assert run
    found = ask(page.address, "/run", ("study", "other"), ("run", run[1]))
    assert "http://127.0.0.1:5000/#/experiments/" in found.text
    assert "mlflow ui --backend-store-uri" in found.text
    assert ask(page.address, "/run", ("study", "other"), ("run", "../../etc")).status == 404


def test_the_runs_of_a_view_are_listed(page: PageServer) -> None:
    every = ask(page.address, "/runs", ("study", "other")).text
    few = ask(page.address, "/runs", ("study", "other"), ("size", "100"), ("seed", "1")).text
    assert every.count("/run?study=other&amp;run=") > few.count("/run?study=other&amp;run=") == 1
    assert "P=100 seed=1</a>" in few
    assert "0 runs of the curves shown" in ask(page.address, "/runs", ("study", "other"), ("size", "3")).text


def test_studies_are_compared_with_each_other_and_with_the_paper(page: PageServer) -> None:
    whole = ask(page.address, "/compare", ("study", "mine"))
    assert "p, all pairs" in whole.text
    assert whole.text.count("optimizer.weight_decay=0.1") >= 5  # exponents, and a row a difference
    assert "cnn_cifar100" in whole.text
    for ending, begin in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("csv", b"study,")):
        assert ask(page.address, "/comparison", ("study", "mine"), ("ending", ending)).content.startswith(begin)
    for_a_browser = json.loads(ask(page.address, "/comparison", ("study", "mine")).content)
    assert "mine optimizer.weight_decay=0.1" in for_a_browser["signature"]
    assert 'src="/comparison?study=mine&amp;ending=svg"' in whole.text  # where no scripts run
    assert "no analysis of" in ask(page.address, "/compare", ("study", "other")).text


def test_hostile_names_are_text_wherever_they_stand(page: PageServer) -> None:
    for path in ("/", "/study", "/progress", "/compare", "/news"):
        found = ask(page.address, path, ("study", HOSTILE), ("page", "progress"), QUICK)
        assert found.status == 200, path
        text = found.text if path != "/news" else str(json.loads(found.content)["parts"])
        assert "onerror" in text, path
        assert "<img src=x" not in text, path
        assert "49" not in re.findall(r"alert\(1\)&gt;.{0,20}", text)
    for path in ("/study", "/progress", "/data", "/run"):
        wrong = ask(page.address, path, ("study", f"{HOSTILE}?"), ("figure", HOSTILE), ("run", HOSTILE))
        assert wrong.status == 404
        assert "<img src=x" not in wrong.text


def test_nothing_comes_from_elsewhere_and_no_other_name_is_answered(page: PageServer) -> None:
    shown = ask(page.address, "/study", ("study", "mine"), QUICK)
    assert "script-src 'self';" in shown.headers["content-security-policy"]
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert re.findall(r"(?:src|href)=\"https?:", shown.text) == []
    assert re.findall(r"<script(?! src=)", shown.text) == []
    script = ask(page.address, "/static/bokeh.min.js")
    assert script.status == 200
    for tag, status in ((script.headers["etag"], 304), ('"of another"', 200)):
        again = ask(page.address, "/static/bokeh.min.js", headers={"If-None-Match": tag})
        assert (again.status, again.content) == (status, b"" if status == 304 else script.content)
        assert again.headers["cache-control"] == "no-cache"
    assert ask(page.address, "/static/../answers.py").status == 404
    assert ask(page.address, "/", headers={"Host": "evil.example"}).status == 400


def test_elsewhere_the_page_asks_for_its_token(
    page: PageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    token = "a token of many letters"
    monkeypatch.setenv("NORMLAW_PAGE_TOKEN", token)
    with served(tmp_path, f"sqlite:///{Path('mlflow.db').resolve()}") as other:
        closed = ask(other.address, "/progress", ("study", "mine"))
        assert closed.status == 401
        assert 'type="password"' in closed.text
        assert "mine" not in closed.text
        assert ask(other.address, "/news").status == 401
        assert ask(other.address, "/", headers={"Authorization": f"Bearer {token}"}).status == 200
        assert ask(other.address, "/token", body=b"token=wrong").status == 401
        entered = ask(other.address, "/token", body=f"token={token.replace(' ', '+')}".encode())
        assert entered.status == 303
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert token not in cookie
        assert ask(other.address, "/", headers={"Cookie": cookie.partition(";")[0]}).status == 200
    assert token not in "".join(capfd.readouterr())
    monkeypatch.setenv("NORMLAW_PAGE_TOKEN", "short")
    answers, close = answers_for(tmp_path, None)
    with pytest.raises(InputError, match="16 at least"):
        page_server(answers, "127.0.0.1", 0)
    monkeypatch.delenv("NORMLAW_PAGE_TOKEN")
    with pytest.raises(InputError, match="cannot be bound"):
        page_server(answers, "192.0.2.1", 1)
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"  # for all threads, as long as the page lives
    made = page_server(answers, "0.0.0.0", 0)
    made.bound.close()
    close()
    assert made.made
    assert len(made.token) > 30
