"""Exact curves of models in time and of one pass, through MLflow to an analysis and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import normlaw
from normlaw_registry import InputError

TIMES = np.geomspace(0.1, 1e5, 30).tolist()
SIZES = [200, 800, 3200, 12800]


@pytest.mark.usefixtures("one_figure")
@pytest.mark.slow
def test_exact_curves_are_logged_analysed_and_reported_as_trained_ones_are(
    mlflow_server: Any, tmp_path: Path
) -> None:
    uri, params = mlflow_server.uri, {"noise_variance": 0.25}
    exact = normlaw.theory(
        "random_features",
        axes={"examples": SIZES, "time": TIMES},
        params=params,
        study="exact_features",
        tracking_uri=uri,
    )
    curves = normlaw.curves("exact_features", kinds=("theory",), tracking_uri=uri).sort_values(
        ["train_size", "step"]
    )
    assert curves["train_size"].tolist() == exact["examples"].astype(int).tolist()
    for metric, values in (
        ("test/loss", exact["test_loss"]),
        ("train/loss", exact["train_loss"]),
        ("log_norm/weight_norm", np.log(exact["norm"])),
        ("log_norm/time", np.log(exact["time"])),
    ):
        assert curves[metric].to_numpy() == pytest.approx(values.to_numpy(), rel=1e-12)
    options: dict[str, Any] = {"response": "test_loss", "protocol": "automatic", "draws": 100}
    (laws,) = normlaw.analyse("exact_features", tracking_uri=uri, reports=tmp_path, **options)
    fitted = normlaw.fit(
        pd.DataFrame(
            {
                "train_size": exact["examples"].astype(int),
                "seed": 0,
                "log_norm": np.log(exact["norm"]),
                "test_loss": exact["test_loss"],
            }
        ),
        **options,
    )
    assert laws.analysis.gamma_pred.value == pytest.approx(fitted.gamma_pred.value, rel=1e-6)
    page = tmp_path / "page.html"
    assert normlaw.report("exact_features", tracking_uri=uri, page=page)
    assert "random_features" in page.read_text()


@pytest.mark.slow
def test_one_pass_is_one_run_of_as_many_examples_as_it_reads(mlflow_server: Any) -> None:
    asked: dict[str, Any] = {
        "axes": {"examples": np.geomspace(0.15, 20, 12).tolist()},
        "params": {"K": 1, "M": 1},
        "tracking_uri": mlflow_server.uri,
    }
    exact = normlaw.theory("two_layer", study="one_pass", dimension=300, **asked)
    curves = normlaw.curves("one_pass", kinds=("theory",), tracking_uri=mlflow_server.uri).sort_values("step")
    assert set(curves["train_size"]) == {6000}
    assert curves["test/loss"].to_numpy() == pytest.approx(exact["test_loss"].to_numpy(), rel=1e-12)
    with pytest.raises(InputError, match="training examples, not a whole number"):
        normlaw.theory("two_layer", study="one_pass", dimension=10**11, **asked)
