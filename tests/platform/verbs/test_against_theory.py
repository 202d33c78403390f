"""A study of the perceptron and its exact curves, through MLflow to laws and to their comparison."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from mlflow import MlflowClient
from rich.console import Console

from normlaw.cli.program import main
from normlaw.launching.display import Display
from normlaw.launching.launch import launch
from normlaw.verbs.against_theory import against_theory
from normlaw.verbs.analyse import analyse
from normlaw.verbs.load_study import load_study
from normlaw_registry import Catalogue

STUDY: dict[str, Any] = {
    "name": "small_perceptron",
    "norm": "weight_norm",
    "fixed": {
        "architecture": {"name": "perceptron", "params": {"init_norm": 0.01}},
        "dataset": {"name": "teacher_student", "params": {"dimension": 40, "test_size": 10}},
        "measures": ["weight_norm"],
        "optimizer": {"name": "fixed_norm", "final_norm": 100, "tolerance": 1e-4},
        "measuring_points": 8,
    },
    "vary": {"train_size": [80, 160, 320], "seed": [0, 1]},
}


def theory(uri: str, *more: str) -> Result:
    arguments = ["theory", "perceptron", "--alpha", "2,4,8", "--lambda", "0.01:100:9"]
    study = ["--study", "small_perceptron", "--dimension", "40", "--tracking-uri", uri]
    return CliRunner().invoke(main, [*arguments, *study, *more])


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_theory_and_experiment_meet_in_one_study(
    mlflow_server: Any, write_study: Callable[[dict[str, Any]], Path], tmp_path: Path, catalogue: Catalogue
) -> None:
    uri = mlflow_server.uri
    logged = theory(uri)
    assert logged.exit_code == 0, logged.output
    assert "3 theory curves logged, 0 already there" in logged.output
    assert "0 theory curves logged, 3 already there" in theory(uri).output

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("small_perceptron")
    runs = client.search_runs([experiment.experiment_id], filter_string="tags.`normlaw.kind` = 'theory'")
    assert len(runs) == 3
    run = next(run for run in runs if run.data.params["alpha"] == "8.0")
    assert run.data.params["train_size"] == "320"
    assert run.data.params["theory.loss"] == "logistic"
    assert run.data.metrics["reference/hebb"] == pytest.approx(math.atan(math.sqrt(math.pi / 16)) / math.pi)
    history = client.get_metric_history(run.info.run_id, "log_norm/weight_norm")
    assert [metric.value for metric in history] == pytest.approx(
        [math.log(0.01) + k * math.log(1e4) / 8 for k in range(9)]
    )

    assert against_theory("small_perceptron", tracking_uri=uri, reports=tmp_path) is None  # nothing trained yet
    (laws,) = analyse("small_perceptron", tracking_uri=uri, reports=tmp_path, protocol="automatic", draws=100)
    assert laws.setting == {"theory": "perceptron"}
    assert laws.analysis.gamma_meas.value == pytest.approx(0.9, abs=0.1)

    summary = launch(
        load_study(STUDY),
        catalogue,
        Display(Console(quiet=True)),
        tracking_uri=uri,
        home=tmp_path / "home",
        max_parallel=1,
    )
    assert summary.trained == 6
    compared = against_theory("small_perceptron", tracking_uri=uri, reports=tmp_path)
    assert compared is not None
    agreement = compared.comparison.agreement
    assert set(agreement["alpha"]) == {2.0, 4.0, 8.0}
    assert (agreement["mean"] / agreement["theory"]).mean() == pytest.approx(1.0, abs=0.1)
    written = pd.read_csv(compared.folder / "tables" / "agreement.csv")
    assert len(written) == len(agreement) == 3 * 9
    assert (compared.folder / "figures" / "collapse.png").stat().st_size > 10_000
    assert compared.run_id is not None
    assert client.get_run(compared.run_id).data.tags["normlaw.kind"] == "analysis"


def test_a_load_without_a_whole_number_of_examples_is_refused() -> None:
    result = CliRunner().invoke(
        main, ["theory", "perceptron", "--alpha", "0.55", "--lambda", "1", "--study", "s", "--dimension", "10"]
    )
    assert result.exit_code == 2
    assert "not a whole number" in result.output
