"""`import normlaw`: every verb of the command line as one call, and tidy frames of what MLflow holds."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import normlaw
import normlaw_registry
from normlaw.cli.program import main
from normlaw_registry.host import PluginRecord
from normlaw_tests import forked, processes


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return processes.python(*arguments, cwd=cwd, env=processes.without())


def test_the_import_is_light_and_names_everything(tmp_path) -> None:
    code = (
        "import sys, normlaw; from normlaw import run, fit, load_study; dir(normlaw)\n"
        "heavy = ('torch', 'mlflow', 'pandas', 'scipy', 'matplotlib', 'pyarrow', 'numpy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = python("-c", code, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr
    for name in normlaw.__all__:
        assert getattr(normlaw, name).__doc__, name
    assert set(normlaw.__all__) <= set(dir(normlaw))
    assert normlaw.__version__
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        normlaw.trian  # noqa: B018


def test_every_verb_of_the_command_line_is_a_call() -> None:
    verbs = {"import": "import_curves"}
    for verb in main.commands:
        assert callable(getattr(normlaw, verbs.get(verb, verb))), verb


def test_the_lists_of_names_agree() -> None:
    assert sorted(set(normlaw.__all__)) == normlaw.__all__
    assert sorted(normlaw._PLACES) == normlaw.__all__


@pytest.fixture(scope="module")
def tiny_study() -> dict[str, Any]:
    return {
        "name": "api",
        "fixed": {
            "architecture": {"name": "mlp", "params": {"hidden": [16]}},
            "dataset": "digits",
            "label_noise": 0.2,
            "optimizer": {"learning_rate": 3e-3},
            "batch_size": 32,
            "steps": 120,
            "measuring_points": 15,
            "measures": ["weight_norm", "frobenius_norm"],
        },
        "vary": {"train_size": [32, 64, 128, 256], "seed": [0, 1], "optimizer.weight_decay": [0.0, 0.01]},
    }


QUICK: dict[str, Any] = {"protocol": "automatic", "draws": 100}
"""What finds the four numbers in a tenth of the default's time, where any protocol would do."""

SCRIPT = """
import normlaw
print(normlaw.run("api.yaml", offline=True))
"""


@pytest.mark.slow
def test_a_script_without_a_guard_trains(tiny_study, tmp_path) -> None:
    tiny_study = {**tiny_study, "vary": {"train_size": [32], "seed": [0]}}
    (tmp_path / "api.yaml").write_text(yaml.safe_dump(tiny_study))
    (tmp_path / "script.py").write_text(SCRIPT)
    done = forked.done(_script, "script.py", folder=tmp_path, env=processes.without())
    assert "trained=1," in done.stdout, done.stderr


def _script(path: str) -> None:
    """Be the script, whose imports have been done already; its worker is a Python of its own."""
    runpy.run_path(path, run_name="__main__")


@pytest.fixture(scope="module")
def folder(tiny_study, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """Return a folder in which the study was trained."""
    folder = tmp_path_factory.mktemp("api")
    shutil.copy(empty_database, folder / "mlflow.db")
    (folder / "api.yaml").write_text(yaml.safe_dump(tiny_study))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert normlaw.run("api.yaml", max_parallel=2).trained == 16
    return folder


@pytest.fixture
def here(folder, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder


@pytest.mark.slow
def test_curves_are_tidy(here, tiny_study) -> None:
    curves = normlaw.curves(normlaw.load_study(tiny_study))
    assert list(curves.columns[:5]) == ["run", "train_size", "seed", "optimizer.weight_decay", "step"]
    assert {"test/error", "log_norm/weight_norm", "log_norm/frobenius_norm"} <= set(curves.columns)
    last = curves.groupby("run")["step"].agg(["min", "max", "count"])
    assert len(last) == 16
    assert (last["min"] == 0).all()
    assert (last["max"] == 120).all()
    assert curves.groupby("optimizer.weight_decay")["run"].nunique().to_dict() == {"0.0": 8, "0.01": 8}
    runs = normlaw.runs("api").set_index("run")
    best = curves.loc[curves.groupby("run")["test/error"].idxmin()].set_index("run")
    least, shown = best["test/error"].reindex(runs.index), runs["optimum/test_error"]
    assert runs["status"].unique().tolist() == ["FINISHED"]
    assert np.allclose(shown, least, rtol=0.2)  # the vertex of a parabola through the points around it
    assert runs["train_size"].tolist() == best["train_size"].reindex(runs.index).tolist()


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_fit_of_curves_is_what_the_analysis_logs(here) -> None:
    curves = normlaw.curves("api")
    with pytest.raises(normlaw.InputError, match=r"2 values of 'optimizer.weight_decay' \(0.0, 0.01\)"):
        normlaw.fit(curves)
    one = curves[curves["optimizer.weight_decay"] == "0.01"]
    analysis = normlaw.fit(one, norm="frobenius_norm", **QUICK)
    logged = normlaw.analyse("api", norm="frobenius_norm", **QUICK)
    assert [result.setting for result in logged] == [
        {"optimizer.weight_decay": "0.0"},
        {"optimizer.weight_decay": "0.01"},
    ]
    assert logged[1].analysis.gamma_meas == analysis.gamma_meas


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_runs_optimum_at_mlflow_is_the_number_of_the_report(here) -> None:
    before = normlaw.runs("api").set_index("run")
    results = normlaw.analyse("api", **QUICK)
    reported = pd.concat([result.analysis.tables()["optima"] for result in results]).set_index("run")
    runs = normlaw.runs("api").set_index("run").loc[reported.index]
    assert len(runs) == 16
    assert np.allclose(runs["optimum/log_norm"], reported["log_norm"], rtol=1e-12, atol=0)
    assert np.allclose(runs["optimum/test_error"], np.exp(reported["log_error"]), rtol=1e-12, atol=0)
    assert (runs["optimum/bracketed"] == reported["bracketed"]).all()
    first = before.loc[reported.index]  # from each run alone: the same definition, at the run's own scatter
    spread = reported["log_norm"].max() - reported["log_norm"].min()
    assert np.allclose(first["optimum/log_norm"], reported["log_norm"], atol=0.25 * spread)
    normlaw.analyse("api", **QUICK)
    again = normlaw.runs("api").set_index("run").loc[reported.index]
    assert again["optimum/log_norm"].equals(runs["optimum/log_norm"])


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_a_study_names_its_protocol_and_an_outsiders_is_logged(here, tiny_study) -> None:
    from normlaw.analysis import Options
    from normlaw.verbs.analyse import Result, analysed

    before = set(normlaw.runs("api")["run"])
    section = {"protocol": {"name": "released", "params": {"window": [None, 0.9]}}}
    study = normlaw.load_study({**tiny_study, "analysis": section})
    normlaw.run(study, max_parallel=1)
    assert set(normlaw.runs("api")["run"]) == before  # no part of what a run is
    curves = normlaw.curves("api")
    one = curves[curves["optimizer.weight_decay"] == "0.01"]
    assert normlaw.fit(one).protocol == "released"
    assert normlaw.fit(one, protocol="automatic", draws=100).protocol == "automatic"
    assert {result.analysis.protocol for result in normlaw.analyse("api")} == {"released"}
    normlaw.run(tiny_study, max_parallel=1)
    assert normlaw.curves("api").attrs["normlaw.analysis"] is None

    def four_numbers(curves, params, context):
        number = normlaw_registry.Estimate.normal(0.5, 0.1, context.confidence)
        return normlaw_registry.Findings(gamma_1=number, gamma_2=number, gamma_pred=number, gamma_meas=number)

    mine = normlaw_registry.AnalysisProtocol(name="mine", summary="Mine", analyse=four_numbers)
    record = PluginRecord(name="guest", module="guest", distribution="guest", version="1", components=(mine,))
    catalogue = normlaw_registry.Catalogue.of([*normlaw_registry.load_catalogue().records, record])
    logged = analysed("api", options=Options(protocol="mine"), catalogue=catalogue)
    assert [result.analysis.protocol for result in logged if isinstance(result, Result)] == ["mine", "mine"]
    assert set(normlaw.results("api")["value"]) == {0.5}


def test_a_study_that_names_no_such_protocol_is_told_the_line(tiny_study, tmp_path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(yaml.safe_dump({**tiny_study, "analysis": {"protocol": "relased"}}, sort_keys=False))
    line = 1 + next(i for i, text in enumerate(file.read_text().splitlines()) if "relased" in text)
    told = rf"api.yaml:{line}: analysis.protocol: unknown protocol 'relased': did you mean released"
    with pytest.raises(normlaw.InputError, match=told):
        normlaw.run(file)


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_results_are_those_of_the_latest_analysis(here) -> None:
    one = normlaw.curves("api")
    one = one[one["optimizer.weight_decay"] == "0.01"]
    analysis = normlaw.fit(one, norm="frobenius_norm", **QUICK)
    normlaw.analyse("api", norm="frobenius_norm", **QUICK)
    results = normlaw.results("api")
    of_this = results[results["analysis"].str.contains("0.01")].set_index("exponent")
    assert of_this["value"].to_dict() == pytest.approx(
        {name: estimate.value for name, estimate in analysis.estimates().items()}
    )
    assert (of_this["norm"] == "frobenius_norm").all()
    assert normlaw.report("api", page=here / "page.html") == results["analysis"].unique().tolist()
    assert (here / "page.html").exists()
    assert normlaw.against_theory("api") is None


@pytest.mark.slow
def test_figures_are_drawn_by_name(here) -> None:
    curves = normlaw.curves("api")
    analysis = normlaw.fit(curves[curves["optimizer.weight_decay"] == "0.0"], **QUICK)
    assert normlaw.plot(analysis, "endpoint_law").axes
    with pytest.raises(normlaw.InputError, match="did you mean endpoint_law"):
        normlaw.plot(analysis, "endpoint")


@pytest.mark.slow
def test_the_readmes_program_runs(here, tiny_study) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    (program,) = re.findall(r"<!-- example: python -->\s*```python\n(.+?)```", readme, re.DOTALL)
    vary = {"train_size": [32, 64, 128], "seed": [0]}
    small = {**tiny_study, "name": "small", "fixed": {**tiny_study["fixed"], "steps": 40}, "vary": vary}
    (here / "small.yaml").write_text(yaml.safe_dump(small))
    exec(compile(program.replace('"quickstart"', '"small.yaml"'), "README.md", "exec"), {})
    assert (here / "law.png").stat().st_size > 10_000


@pytest.mark.slow
def test_what_is_done_is_not_done_again(here, tiny_study) -> None:
    summary = normlaw.resume("api")
    assert (summary.trained, summary.already_there, summary.complete) == (0, 16, True)
    assert [(done.there, done.sent) for done in normlaw.sync("api")] == [(16, ())]
    with pytest.raises(normlaw.InputError, match="no study 'apo' was begun"):
        normlaw.resume("apo")


@pytest.mark.slow
def test_curves_from_a_file(here) -> None:
    curves = normlaw.curves("api")
    one = curves[curves["optimizer.weight_decay"] == "0.0"]
    table = one[["train_size", "seed", "step"]].assign(
        log_norm=one["log_norm/weight_norm"], test_error=one["test/error"]
    )
    table.to_csv("elsewhere.csv", index=False)
    direct = normlaw.fit(one, norm="weight_norm", **QUICK)
    assert normlaw.fit("elsewhere.csv", **QUICK).gamma_1.value == pytest.approx(direct.gamma_1.value)
    assert normlaw.import_curves("elsewhere.csv", "imported") == (8, 0)
    assert normlaw.import_curves("elsewhere.csv", "imported") == (0, 8)
    assert len(normlaw.curves("imported")) == len(table)


@pytest.mark.slow
def test_studies_and_components_are_frames() -> None:
    (quick,) = normlaw.studies("quickstart").to_dict("records")
    assert quick["name"] == "quickstart"
    assert quick["runs"] == 24
    components = normlaw.plugins()
    assert "cnn" in components.loc[components["kind"] == "architecture", "name"].tolist()
    assert normlaw.load_study("cnn_mnist", scale="small").name == "cnn_mnist-small"


@pytest.mark.slow
def test_a_theory_is_a_frame_and_goes_to_mlflow(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    exact = normlaw.theory("perceptron", [0.5, 1.0], [0.1, 1.0], study="exact", dimension=100)
    assert isinstance(exact, pd.DataFrame)
    assert exact[["alpha", "lambda"]].to_numpy().tolist() == [[0.5, 0.1], [0.5, 1.0], [1.0, 0.1], [1.0, 1.0]]
    kept = normlaw.curves("exact", kinds=["theory"])
    assert kept["test/error"].tolist() == pytest.approx(exact["error"].tolist())
    assert sorted(set(kept["train_size"])) == [50, 100]


def test_a_plugin_is_written(tmp_path) -> None:
    made = normlaw.new_plugin("my-law", ["fitter"], folder=tmp_path)
    assert made == tmp_path / "my-law"
    assert (made / "pyproject.toml").exists()


def test_no_module_hides_a_function() -> None:
    for name in normlaw.__all__:
        found = find_spec(f"normlaw.{name}")
        assert found is None or found.origin is None, f"importing normlaw.{name} replaces what users call"
