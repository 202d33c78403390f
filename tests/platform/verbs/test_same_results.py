"""A verb gives the same on the command line and from Python: files, numbers and what is logged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

import normlaw
from normlaw.cli.program import main
from normlaw.study.home import keep_study
from normlaw_tests.exact_curves import exact_curves
from normlaw_tests.models import MODEL, catalogue_with
from normlaw_tests.quick import QUICK

pytestmark = pytest.mark.usefixtures("one_figure")


@pytest.fixture(scope="module")
def curves_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write exact curves in the norm that theories are in: the laws hold with exponents 0.5 and 1."""
    path = tmp_path_factory.mktemp("csv") / "outside.csv"
    curves = exact_curves((100, 200, 400, 800), 2, np.linspace(0, 8, 30)).assign(measure="weight_norm")
    curves.query("test_error < 1").to_csv(path, index=False)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def run(*arguments: object, status: int = 0) -> Result:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == status, done.output
    return done


def files(folder: Path) -> dict[str, str]:
    """Return the texts below a folder."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.suffix in (".csv", ".json", ".txt", ".html")
    }


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows in JSON's own types."""
    return [
        {str(key): None if value != value else value for key, value in row.items()}  # noqa: PLR0124 - NaN
        for row in frame.to_dict("records")
    ]


@pytest.mark.slow
def test_an_analysis_of_a_study(here: Path, curves_csv: Path) -> None:
    assert run("import", curves_csv, "--study", "s").stdout.startswith("s: 8 curves logged, 0 already there")
    assert normlaw.import_curves(curves_csv, "s") == (0, 8)
    told = run("analyse", "s", *QUICK, "--reports", "one", "--json", "laws.json")
    found = normlaw.analyse("s", protocol="automatic", draws=100, reports="two")
    assert files(here / "one") == files(here / "two")
    assert json.loads((here / "laws.json").read_text()) == json.loads(json.dumps(found[0].analysis.to_dict()))
    assert f"MLflow run {found[0].run_id}" in told.output, "what was found before is not logged again"
    assert len(normlaw.runs("s", kinds=["analysis"])) == 1
    named = normlaw.report("s", page="two.html")
    assert run("report", "s", "--page", "one.html").stdout == f"one.html: 1 analysis: {named[0]}\n"
    assert (here / "one.html").read_text() == (here / "two.html").read_text()


def test_an_analysis_of_a_file(here: Path, curves_csv: Path) -> None:
    run("analyse", "--curves", curves_csv, *QUICK, "--reports", "one")
    (found,) = normlaw.analyse(curves_csv, protocol="automatic", draws=100, reports="two")
    assert found.run_id is None
    assert files(here / "one") == files(here / "two")
    assert not (here / "mlflow.db").exists()


@pytest.mark.slow
def test_a_setting_that_cannot_be_fitted_keeps_no_other_from_its_laws(here: Path, curves_csv: Path) -> None:
    normlaw.import_curves(curves_csv, "s")
    norms = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]  # too few for a window
    exact = normlaw.theory("perceptron", [1.0, 2.0, 4.0], norms, study="s", dimension=100)
    asked = ("--alpha", "1,2,4", "--lambda", ",".join(map(str, norms)), "--study", "s", "--dimension", 100)
    run("theory", "perceptron", *asked, "--json", "exact.json")
    assert rows(exact) == json.loads((here / "exact.json").read_text())
    assert len(normlaw.runs("s", kinds=["theory"])) == 3
    with pytest.raises(normlaw.InputError, match="theory=perceptron: no window") as refused:
        normlaw.analyse("s", protocol="automatic", draws=100, reports="two")
    told = run("analyse", "s", *QUICK, "--reports", "one", status=2)
    assert str(refused.value).replace("two/", "one/") in told.output
    assert {"s/summary.txt", "s/theory=perceptron-unfitted/summary.txt"} <= set(files(here / "one"))
    assert files(here / "one") == files(here / "two")


@pytest.mark.slow
def test_a_prediction(here: Path, curves_csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("normlaw.verbs.predict.load_catalogue", lambda: catalogue_with(MODEL))
    asked = ("--train-size", 5000, "--norm-value", 20, "--hold-out", 0, "--protocol", "two_lines")
    run("predict", "--curves", curves_csv, *asked, "--json", "one.json")
    (found,) = normlaw.predict(curves_csv, 5000, norm_values=[20], hold_out=0, protocol="two_lines")
    assert json.loads((here / "one.json").read_text()) == json.loads(json.dumps(found.to_dict()))


def test_what_there_is() -> None:
    assert json.loads(run("studies", "quickstart", "--json").output) == rows(normlaw.studies("quickstart"))
    listed = json.loads(run("plugins", "--json").output)["plugins"]
    named = [(c["kind"], c["name"]) for plugin in listed for c in plugin["components"]]
    components = normlaw.plugins().dropna(subset="name")
    assert sorted(named) == sorted(zip(components["kind"], components["name"], strict=True))


@pytest.mark.slow
def test_a_damaged_study_keeps_no_other_from_being_sent(here: Path, tiny: dict[str, Any]) -> None:
    home = here / ".normlaw"
    for name in ("first", "second"):
        keep_study(home, normlaw.load_study({**tiny, "name": name}))
    (home / "journal" / "first" / "study.yaml").write_text("name: [")
    first, second = normlaw.sync(home=home)
    assert (first.study, second.study) == ("first", "second")
    assert "study.yaml:1: not YAML" in first.unread
    assert not second.unread
    told = run("sync", status=1)
    assert told.stdout == "second: 0 sent, 0 already there\n"
    assert "not sent: first: " in told.stderr
    assert "study.yaml:1: not YAML" in told.stderr
    with pytest.raises(normlaw.InputError, match="not YAML"):
        normlaw.sync("first", home=home)
    assert "not YAML" in run("sync", "first", status=2).output


@pytest.mark.slow
def test_a_rehearsal(here: Path, tiny: dict[str, Any]) -> None:
    (here / "tiny.yaml").write_text(yaml.safe_dump(tiny))
    found = normlaw.rehearse("tiny.yaml", device="cpu")
    told = run("run", "tiny.yaml", "--dry-run", "--device", "cpu").stdout.splitlines()
    shown = [(row.name, f"{row.steps:,}") for row in found.rows]
    width = max(len(name) for name, _ in shown)
    assert [(line[:width].strip(), line[width:].split()[0]) for line in told[1 : len(shown) + 1]] == shown
    assert told[-1].startswith(f"{found.combinations} combination")
