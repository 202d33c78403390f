"""The commands on external curves: without a server, and through an SQLite store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from normlaw.analysis import figures
from normlaw.analysis.figures.abscissas import abscissas
from normlaw.analysis.figures.collapse import collapse
from normlaw.cli.program import main
from normlaw_tests.exact_curves import exact_curves, exact_error
from normlaw_tests.figure_files import all_files
from normlaw_tests.quick import QUICK


@pytest.fixture(scope="module")
def curves_csv(tmp_path_factory):
    """Write eight exact curves: error falls as norm^-0.5 to an optimum that grows as P, then rises."""
    import numpy as np

    path = tmp_path_factory.mktemp("csv") / "outside.csv"
    exact_curves((100, 200, 400, 800), 2, np.linspace(0, 8, 30)).to_csv(path, index=False)
    return path


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.mark.slow
def test_analyse_a_file_without_a_server(curves_csv, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "drawn_of", lambda _: [collapse])
    done = run(
        "analyse", "--curves", curves_csv, "--reports", tmp_path / "reports", "--json", tmp_path / "laws.json"
    )
    assert done.exit_code == 0, done.output
    assert "gamma_pred" in done.output
    found = json.loads((tmp_path / "laws.json").read_text())
    assert found["gamma_1"] == pytest.approx(0.5, abs=0.02)
    assert found["gamma_2"] == pytest.approx(1.0, abs=0.02)
    assert (tmp_path / "reports" / "outside" / "figures" / "collapse.svg").is_file()


@pytest.mark.usefixtures("one_figure")
def test_parameters_of_the_protocol_and_of_fitters(curves_csv, tmp_path):
    done = run(
        *("analyse", "--curves", curves_csv, "--reports", tmp_path, "--protocol", "released"),
        *("--set", "window=[none, 0.3]", "--set", "first_index=1", "--confidence", "0.9"),
        *("--fitter", "early_power_law:errors=ordinary"),
    )
    assert done.exit_code == 0, done.output
    assert "protocol released" in done.output
    assert "fits by the fitters named (90% limits)" in done.output
    page = (tmp_path / curves_csv.stem / "report.html").read_text()
    assert "--set &#39;window=[&#34;none&#34;, 0.3]&#39; --set first_index=1" in page


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_options_of_the_version_before_take_the_protocol_that_has_them(curves_csv, tmp_path):
    file = tmp_path / "laws.json"
    asked = ("analyse", "--curves", curves_csv, "--reports", tmp_path, "--json", file)
    for more, protocol in ((("--set", "draws=150"), "automatic"), (("--window", "none", "0.3"), "released")):
        done = run(*asked, *more)
        assert done.exit_code == 0, done.output
        assert f"warning protocol_by_option: the protocol '{protocol}' was taken" in done.output
        assert json.loads(file.read_text())["protocol"] == protocol


@pytest.mark.usefixtures("one_figure")
def test_released_options(curves_csv, tmp_path):
    done = run(
        *("analyse", "--curves", curves_csv, "--reports", tmp_path, "--protocol", "released"),
        *("--window", "none", "0.05", "--first-index", 1, "--gamma2-first-index", 1),
    )
    assert done.exit_code == 0, done.output
    assert "protocol released" in done.output
    assert "train sizes from 200 on" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocol", "relased"], "did you mean released"),
        (["--protocol", "released"], "window chosen by hand"),
        (["--protocol", "released", "--window", "1", "0.5"], "must lie below"),
        (["--protocol", "released", "--window", "x", "0.5"], "neither a number nor 'none'"),
        (["--confidence", "2"], "confidence must lie in"),
        (["--draws", "3"], "at least 100"),
        (["--set", "draws=3"], "at least 100"),
        (["--set", "drwas=300"], "did you mean draws"),
        (["--set", "draws"], "write KEY=VALUE"),
        (["--set", "draws=200", "--draws", "300"], "draws is given twice"),
        (["--protocol", "automatic", "--window", "1", "2"], "no parameter 'window', which --window sets"),
        (["--offsets"], "parameters of the protocols 'automatic' and 'released'"),
        (["--draws", "200", "--first-index", "1"], "--draws of 'automatic'; --first-index of 'released'"),
        (["--fitter", "endpoint_m4:draws=3"], "draws: unknown key"),
        (["--draws", "1000000000"], "10000 at most, got 1000000000"),
        (["--draws", "9" * 4300], "10000 at most, got a whole number of about 4301 digits"),
        (["--confidence", "nan"], "confidence must lie in"),
        (["--confidence", "0.9999999999999999"], "confidence must lie in"),
        (["--bootstrap-seed", "-1"], "bootstrap_seed: must not be negative, got -1"),
        (["--predict-at", "0"], "between 1 and 2^53, got 0"),
        (["--predict-at", "1" + "0" * 500], "between 1 and 2^53, got a whole number of about 501 digits"),
        (["--protocol", "released", "--window", "nan", "1"], "must be positive, got nan"),
    ],
)
def test_bad_options_exit_with_2(curves_csv, tmp_path, arguments, message):
    done = run("analyse", "--curves", curves_csv, "--reports", tmp_path / "reports", *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "reports" / "outside").exists()


@pytest.mark.usefixtures("one_figure")
@pytest.mark.parametrize("through", ["file", "study"])
@pytest.mark.slow
def test_curves_too_few_for_laws_are_written_and_drawn(curves_csv, tmp_path, monkeypatch, through):
    monkeypatch.chdir(tmp_path)
    curves = pd.read_csv(curves_csv)
    few = curves[curves["train_size"] <= 200]
    few.to_csv("outside.csv", index=False)
    if through == "study":
        uri = f"sqlite:///{tmp_path}/mlflow.db"
        assert run("import", "outside.csv", "--study", "outside", "--tracking-uri", uri).exit_code == 0
        done = run("analyse", "outside", "--figures", "paper", "--tracking-uri", uri)
    else:
        assert run("analyse", "--curves", curves_csv, *QUICK).exit_code == 0  # whose folder stays
        with all_files():
            done = run("analyse", "--curves", "outside.csv", "--figures", "paper")
        assert (tmp_path / "reports" / "outside" / "report.html").is_file()
    assert done.exit_code == 2, done.output
    assert done.output.count("the laws need curves of at least 3 train sizes") == 1
    assert "got 2 (100, 200)" in done.output
    assert f"The curves and their figure: {Path('reports/outside-unfitted')}" in done.output
    folder = tmp_path / "reports" / "outside-unfitted"
    assert len(pd.read_csv(folder / "tables" / "curves.csv")) == len(few)
    drawn = pd.read_csv(folder / "figures" / "error_against_norm.csv")
    assert set(drawn["train_size"]) == {100, 200}
    files = ("png", "svg", "pdf") if through == "file" else ("svg",)
    for place in ("figures", "figures/column"):
        assert all((folder / place / f"error_against_norm.{e}").stat().st_size for e in files)
    assert "No law was fitted: the laws need" in (folder / "summary.txt").read_text()
    page = (folder / "report.html").read_text()
    assert "No law was fitted." in page
    assert "at least 3 train sizes" in page
    assert "data:image/svg+xml;base64," in page
    if through == "file":
        curves.to_csv("outside.csv", index=False)
        assert run("analyse", "--curves", "outside.csv", *QUICK).exit_code == 0
        assert [path.name for path in (tmp_path / "reports").iterdir()] == ["outside"]


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_what_could_not_be_fitted_is_logged_without_metrics_and_hides_no_earlier_laws(
    curves_csv, tmp_path, monkeypatch
):
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    uri = ("--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db")
    assert run("import", curves_csv, "--study", "outside", *uri).exit_code == 0
    assert run("analyse", "outside", *uri, *QUICK).exit_code == 0
    refused = ("analyse", "outside", "--window", "1e-30", "1e-29", *uri)
    for _ in range(2):  # the second time it finds the same, and logs nothing
        assert run(*refused).exit_code == 2
    client = MlflowClient(uri[1])
    experiment = client.get_experiment_by_name("outside").experiment_id
    fitted, missing = client.search_runs(
        [experiment], "tags.`normlaw.kind` = 'analysis'", order_by=["attributes.start_time"]
    )
    assert missing.info.run_name == "laws of outside (--window 1e-30 1e-29): not fitted"
    assert missing.data.metrics == {}
    assert missing.data.params["protocol"] == "released"
    assert missing.data.params["warnings"] == "not_fitted"
    assert "points" in missing.data.params["missing"]
    files = {file.path for file in client.list_artifacts(missing.info.run_id)}
    assert {"report.html", "results.json", "figures", "tables"} <= files
    assert run("report", "outside", *uri, "--page", "compared.html").exit_code == 0
    assert f"{fitted.data.metrics['gamma_meas']:.3f}" in (tmp_path / "compared.html").read_text()


def test_curves_that_the_protocol_refuses_are_written_too(curves_csv, tmp_path):
    done = run(
        *("analyse", "--curves", curves_csv, "--reports", tmp_path),
        *("--protocol", "released", "--window", "1e-30", "1e-29"),
    )
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    assert (tmp_path / "outside-unfitted" / "figures" / "error_against_norm.svg").is_file()


def test_a_study_or_a_file(curves_csv):
    assert run("analyse").exit_code == 2
    assert run("analyse", "study", "--curves", curves_csv).exit_code == 2


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_import_then_analyse(curves_csv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    first = run("import", curves_csv, "--study", "outside", "--tracking-uri", uri)
    assert first.exit_code == 0, first.output
    assert "8 curves logged, 0 already there" in first.output
    again = run("import", curves_csv, "--study", "outside", "--tracking-uri", uri)
    assert "0 curves logged, 8 already there" in again.output

    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("outside")
    runs = client.search_runs([experiment.experiment_id], "tags.`normlaw.kind` = 'imported'")
    assert len(runs) == 8
    assert {"train_size", "seed"} <= runs[0].data.params.keys()
    assert {"test/error", "log_norm/norm"} <= runs[0].data.metrics.keys()

    done = run("analyse", "outside", "--tracking-uri", uri, "--json", "laws.json", *QUICK)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "laws.json").read_text())
    assert found["gamma_1"] == pytest.approx(0.5, abs=0.02)
    assert found["runs"] == 8


def test_a_bad_file_logs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("train_size,log_norm,test_error\n1,2,3\n")
    done = run("import", "bad.csv", "--study", "x")
    assert done.exit_code == 2
    assert "line 2, column 'test_error'" in done.output
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_studies_are_compared_from_the_store(curves_csv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert run("import", curves_csv, "--study", "cnn_mnist", "--tracking-uri", uri).exit_code == 0
    none_yet = run("report", "--tracking-uri", uri)
    assert none_yet.exit_code == 2
    assert "no analysis of this server yet" in none_yet.output
    assert run("analyse", "cnn_mnist", "--tracking-uri", uri, *QUICK).exit_code == 0
    done = run("report", "cnn_mnist", "--tracking-uri", uri, "--page", "compared.html")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "compared.html").read_text()
    assert "0.6" in page
    (missing,) = re.findall("not analysed yet: ([^<]+)[.]</p>", page)
    assert len(missing.split(", ")) == 8
    assert run("report", "cnn_mnits", "--tracking-uri", uri).exit_code == 2

    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("cnn_mnist")
    logged = client.search_runs([experiment.experiment_id], "tags.`normlaw.kind` = 'analysis'")[0]
    files = {file.path for file in client.list_artifacts(logged.info.run_id)}
    assert {"report.html", "results.json"} <= files


@pytest.fixture(scope="module")
def two_norms_csv(tmp_path_factory):
    """Write curves that are one curve in `shared` and shifted with P in `shifted`, and in the steps."""
    import numpy as np

    rows = []
    for size in (100, 200, 400, 800):
        for seed in (0, 1):
            step = np.arange(1, 41)
            x = 0.2 * step + 0.5 * np.log(size / 100) + 0.01 * seed
            error = exact_error(x, size)
            for measure, norm in (("shared", x), ("shifted", x - np.log(size))):
                values = {"seed": seed, "step": step, "measure": measure, "log_norm": norm}
                rows.append(pd.DataFrame({"train_size": size, **values, "test_error": error}))
    path = tmp_path_factory.mktemp("norms") / "norms.csv"
    pd.concat(rows).to_csv(path, index=False)
    return path


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_norms_of_a_file_are_compared(two_norms_csv, tmp_path):
    asked = ("analyse", "--curves", two_norms_csv, "--norm", "shared", "--compare-norms")
    done = run(*asked, *QUICK, "--reports", tmp_path, "--json", tmp_path / "laws.json")
    assert done.exit_code == 0, done.output
    assert "one envelope in each abscissa explains" in done.output
    found = json.loads((tmp_path / "laws.json").read_text())["abscissas"]["compared"]
    assert [row["abscissa"] for row in found] == ["shared", "steps", "shifted"]
    assert found[0]["explained"] > 0.98
    assert found[0]["low"] > found[1]["high"]
    page = (tmp_path / "norms" / "report.html").read_text()
    assert "--compare-norms" in page


def test_norms_without_steps_cannot_be_matched(two_norms_csv, tmp_path):
    path = tmp_path / "no_steps.csv"
    pd.read_csv(two_norms_csv).drop(columns="step").to_csv(path, index=False)
    asked = ("analyse", "--curves", path, "--norm", "shared", "--compare-norms", "--reports", tmp_path / "r")
    done = run(*asked)
    assert done.exit_code == 2
    assert "has no column 'step'" in done.output
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_the_comparison_of_norms_is_logged_with_the_analysis(two_norms_csv, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    import normlaw

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(figures, "drawn_of", lambda _: [abscissas])
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert run("import", two_norms_csv, "--study", "norms", "--tracking-uri", uri).exit_code == 0
    asked = ("analyse", "norms", "--norm", "shared", "--compare-norms", "--tracking-uri", uri)
    done = run(*asked, *QUICK)
    assert done.exit_code == 0, done.output
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("norms")
    (logged,) = client.search_runs([experiment.experiment_id], "tags.`normlaw.kind` = 'analysis'")
    quick: dict[str, Any] = {"norm": "shared", "compare_norms": True, "protocol": "automatic", "draws": 100}
    table = normlaw.fit(two_norms_csv, **quick).tables()["abscissas"]
    for name, explained in zip(table["abscissa"], table["explained"], strict=True):
        assert logged.data.metrics[f"explained/{name}"] == pytest.approx(explained, rel=1e-9)
    files = {item.path for item in client.list_artifacts(logged.info.run_id, "figures")}
    assert "figures/abscissas.svg" in files
    (again,) = normlaw.analyse("norms", **quick, tracking_uri=uri)
    assert again.run_id == logged.info.run_id  # the same curves: the same results
