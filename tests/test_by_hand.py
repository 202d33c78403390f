"""docs/by_hand/quickstart.py is an independent path to the same numbers: it imports nothing of normlaw."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from normlaw.analysis import Options, analyse
from normlaw.study.expansion import expand
from normlaw.study.named import find_study, shipped_studies
from normlaw.training.loop import train
from normlaw_registry import load_catalogue

SCRIPT = Path(__file__).parents[1] / "docs" / "by_hand" / "quickstart.py"
STEPS, SIZES, SEEDS, WINDOW = 300, (60, 240, 960), (0, 1), 0.8


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory):
    """Return the script's module, shortened, with the curves and exponents that it found."""
    import mlflow

    spec = importlib.util.spec_from_file_location("by_hand_quickstart", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(STEPS=STEPS, SIZES=SIZES, SEEDS=SEEDS, WINDOW=WINDOW)
    folder = tmp_path_factory.mktemp("by-hand")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")  # what is set by a call stays set
        patch.chdir(folder)  # artifacts go to ./mlruns
        curves, found = module.main()
        runs = mlflow.search_runs(experiment_names=[module.EXPERIMENT])
    return curves, found, runs


def test_it_knows_nothing_of_normlaw() -> None:
    assert "import normlaw" not in SCRIPT.read_text()
    assert "from normlaw" not in SCRIPT.read_text()


def test_the_page_counts_its_lines() -> None:
    page = SCRIPT.parents[1].joinpath("by_hand.md").read_text()
    lines = [line for line in SCRIPT.read_text().splitlines() if line.strip()]
    study = shipped_studies()["quickstart"].read_text().splitlines()
    assert f"| {len(lines)} of Python | {len(study)} of YAML" in page


@pytest.mark.slow
def test_its_curves_are_those_of_normlaw(by_hand) -> None:
    catalogue = load_catalogue()
    (spec,) = [
        spec.model_copy(update={"steps": STEPS})
        for spec in expand(find_study("quickstart"), catalogue)
        if (spec.train_size, spec.seed) == (240, 1)
    ]
    points = pd.DataFrame(train(spec, catalogue))
    curves = by_hand[0]
    mine = curves[(curves["size"] == 240) & (curves["seed"] == 1)].reset_index(drop=True)
    assert list(points["step"]) == list(mine["step"])
    for name in ("log_norm/spectral_complexity_kernel", "log_norm/weight_norm", "train/loss", "test/loss"):
        assert points[name].to_numpy() == pytest.approx(mine[name].to_numpy(), rel=1e-4), name
    for name in ("train/error", "test/error"):  # an image or two at the border between classes
        assert points[name].to_numpy() == pytest.approx(mine[name].to_numpy(), abs=2.5 / 240), name


@pytest.mark.slow
def test_its_exponents_are_those_of_normlaw(by_hand) -> None:
    curves, found, _ = by_hand
    frame = pd.DataFrame(
        {
            "run": curves["size"].astype(str) + "-" + curves["seed"].astype(str),
            "train_size": curves["size"],
            "seed": curves["seed"],
            "log_norm": curves["log_norm/spectral_complexity_kernel"],
            "test_error": curves["test/error"],
        }
    )
    options = Options(protocol="released", window=(None, WINDOW))
    findings = analyse(frame, load_catalogue(), options).findings
    for name, (value, error) in found.items():
        estimate = getattr(findings, name)
        assert (estimate.value, estimate.stderr) == pytest.approx((value, error), rel=1e-9), name


@pytest.mark.slow
def test_mlflow_has_its_runs(by_hand) -> None:
    _, found, runs = by_hand
    assert len(runs) == len(SIZES) * len(SEEDS) + 1
    assert set(runs["status"]) == {"FINISHED"}
    (analysis,) = runs.to_dict("records")[:1]
    assert analysis["metrics.gamma_meas"] == pytest.approx(found["gamma_meas"][0])
